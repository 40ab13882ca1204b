"""Outgoing webhooks: tells programs by HTTP of what is said in rooms. `deliveries` is the heart; docs/webhooks.md."""
