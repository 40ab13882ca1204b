"""What is looked at before an operation is run: how large it is, and how much it asks for."""
