"""From what is stored to whoever listens. Asynchronous, and the only code that touches the channel layer."""
