"""The domain, and the browser's door.

The way of a message, one line a step; docs/architecture.md has it with diagrams:

    receiving.ReceivingConsumer.receive a frame arrives from a browser    (gqlchat.schema.posting: from GraphQL)
    domain.rooms.enter                  its room, if this person may chat here at all
    actions.posting.post                the text is checked …
    actions.rate_limits.spend           … and that the person isn't too fast,
    actions.group_commit.GroupCommit    … and waits for what is being stored; then, with all else that waits,
    storage.log.append                  it is stored under the next offset of its room, in one transaction,
    storage.permissions.check           … where the room is restricted, only if this person may be there;
    delivery.publisher.Publisher        this process hears it at once, the others by the room's group in Redis
    delivery.hub.Hub.hear               each process once: in the order of the offsets, and what is missing from the log
    delivery.listener.Listener.take     one for each browser socket and each GraphQL subscription
    consumers.BrowserListener.render    a frame leaves for a browser      (gqlchat.transport.following: for GraphQL)
"""
