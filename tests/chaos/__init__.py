"""The site under fire: real processes are killed and stopped while real clients talk, and then it is counted.

python -m tests.chaos --seed 7 --seconds 120

site       three servers as in the Procfile, and Valkeys, as processes that can be killed
database   a PostgreSQL that the servers can be cut off from, and that a copy which lags can take the place of
clients    browser sockets and GraphQL clients, which reconnect, recover and send again as docs/protocol.md says
acts       what clients do: posts and replies, edits, reactions, deletions
ledger     what one client sent, knows to be stored, and heard
rooms      what is stored of a room in the end, and what is to be seen there, as every client has to see it
faults     what is done to whom, and when, by the seed
report     what the ledgers and the rooms' logs amount to
"""
