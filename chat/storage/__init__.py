"""The database. Synchronous, and the only code that touches the models."""
