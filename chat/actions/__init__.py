"""What may be done through any door: a file for each verb."""
