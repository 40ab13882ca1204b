"""The site in ordinary use for minutes: people come, talk and leave, cleanly or not, and servers must keep nothing.

`make soak`, or `python -m tests.soak --minutes 3`. The clients are judged as in `tests.chaos`.
"""
