"""Requests to the site's provider of OpenID Connect, at which people may log in. Authlib knows the protocol."""
