"""The domain, and the browser's adapter.

The way of a message, one line a step:

    consumers.ChatConsumer.receive      a frame arrives from a browser    (gqlchat.mutations: from GraphQL)
    rooms.enter                         its room, if this person may be there
    messages.post                       the text is checked …
    events.build                        … becomes an event …
    broker.publish                      … and goes to the room's group in Redis
    broker.Hub                          each process hears the group once
    broker.Listener                     one outbox per browser socket and per GraphQL subscription
    consumers.ChatConsumer.write        a frame leaves for a browser      (gqlchat.subscriptions: for GraphQL)
"""
