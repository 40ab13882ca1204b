"""The site in ordinary use for minutes: people come, talk and leave, cleanly or not, and servers must keep nothing.

`make soak`, or `python -m tests.soak --minutes 3`. What the clients do to be called good is that of `tests.chaos`.
"""
