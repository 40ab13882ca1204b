"""How operations and results travel: HTTP, and WebSocket with both subprotocols."""
