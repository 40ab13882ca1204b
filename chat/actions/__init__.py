"""The actions that every door offers: a file for each verb."""
