"""Forms whose answer shows a secret this once, and so can't be a redirect.

Reloading such an answer posts the form again. Each form that is shown has a mark of its own, and the session knows
those that were used: posted again, it does nothing.
"""

import secrets

from django.http import HttpRequest

FIELD = "once"
SESSION_KEY = "chat_once"  # the marks that were used, the newest last
KEPT = 20


def mark() -> str:
    return secrets.token_hex(8)


def is_used(request: HttpRequest) -> bool:
    """Whether the form that is posted has been used already."""
    return request.POST.get(FIELD, "") in request.session.get(SESSION_KEY, [])


def note_use(request: HttpRequest) -> None:
    if posted := request.POST.get(FIELD, "")[:32]:
        request.session[SESSION_KEY] = [*request.session.get(SESSION_KEY, []), posted][-KEPT:]
