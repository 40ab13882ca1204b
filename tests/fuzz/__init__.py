"""The site under input that nobody would send in good faith, made by Hypothesis.

No input may make anything fail: no traceback and no error in the log, no status from 500 on, no socket closed by 1011;
the socket answers the next good frame unless its protocol ends it, and everybody else hears what is said.
A run of all tests tries some 2,500, `make fuzz` ten thousand; `make fuzz ARGS="--examples 200000 --seed 7"` tries more,
and others.
"""
