"""Requests to other hosts, whose addresses come from strangers: pages that people link to, push services.

The layer knows no rules of the chat and no database. `client` is its only way out, `addresses` says where that leads.
"""
