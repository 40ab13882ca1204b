"""The events of "GraphQL over SSE", as they are written: https://github.com/enisdenjo/graphql-sse"""

COMPLETE = b"event: complete\ndata:\n\n"


def next_event(result: bytes, event_id: bytes = b"") -> bytes:
    """The event that brings `result`, which is JSON in one line. Without an id the client's last one stays."""
    id_line = b"id: %b\n" % event_id if event_id else b""
    return b"event: next\n%bdata: %b\n\n" % (id_line, result)
