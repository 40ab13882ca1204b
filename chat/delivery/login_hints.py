"""Hints that logins have ended, or people have other names. Upon these `chat.connections.login_watch` looks."""

from collections.abc import Collection
from typing import Any

from chat.delivery import hub

SUBJECT = "sessions"


async def hint(
    *,
    users: Collection[Any] = (),
    sessions: Collection[str] = (),
    guests: Collection[str] = (),
    tokens: Collection[int] = (),
) -> None:
    """Tells all processes, after the fact, to look at the logins of these.

    `users` and `tokens` are primary keys, `guests` ids of people. `sessions` are keys of sessions that have
    ended: these are of no use to anybody any more, so they may be seen in Redis.
    """
    about = {
        "users": [str(user_id) for user_id in users],
        "sessions": list(sessions),
        "guests": list(guests),
        "tokens": list(tokens),
    }
    await hub.send_control(SUBJECT, about)
