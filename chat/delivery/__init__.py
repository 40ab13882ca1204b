"""From the log to the listeners. Asynchronous, and the only code that touches the channel layer."""
