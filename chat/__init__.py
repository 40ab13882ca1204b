"""The domain, and the browser's adapter.

The way of a message, one line a step:

    consumers.ChatConsumer.receive      a frame arrives from a browser    (gqlchat.schema.posting: from GraphQL)
    rooms.enter                         its room, if this person may chat here at all
    messages.post                       the text is checked …
    limits.spend                        … and the sender not too fast,
    group_commit.GroupCommit.store      … and waits for what is being stored; then, with all else that waits,
    log.append                          it is stored under the next offset of its room, in one transaction,
    access.check                        … where the room is private or bans people, only if this person may be there;
    broker.publish                      this process hears of it at once, the others by the room's group in Redis
    broker.Hub.hear                     each process once: in the order of the offsets, and what is missing from the log
    socket_listener.SocketListener.take one for each browser socket and each GraphQL subscription
    consumers.BrowserListener.render    a frame leaves for a browser      (gqlchat.transport.following: for GraphQL)
"""
