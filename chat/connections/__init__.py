"""Connections of all doors: sockets, logins that end, shutdown."""
