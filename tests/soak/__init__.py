"""The site in ordinary use for minutes: people come, talk, and go, in good order or not. What do the servers keep?

`make soak`, or `python -m tests.soak --minutes 3`. What the clients do to be called good is that of `tests.chaos`.
"""
