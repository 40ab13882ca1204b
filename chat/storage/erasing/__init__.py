"""Erases a person: what they said, their files, their sessions, and their name wherever it stands.

Each step finds by itself what is left to do, so all of them together can be broken off and begun again. The account
goes last: until then it is known by which names the person was called.
"""
