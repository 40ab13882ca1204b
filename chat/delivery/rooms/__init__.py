"""The chat on the hub: where rooms' logs are read, who may hear them, and what else is told of rooms and people."""
