"""The answer where GraphQL over HTTP can't find out whose request it is."""

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope
from django.db import Error
from django.utils.translation import gettext_lazy as _

from chat.connections.answers import answer
from chat.errors import Unavailable
from chat.storage.database import is_outage
from gqlchat.guards.refusals import content_of

RETRY_AFTER = 5  # seconds


def answered(application: ASGI3Application) -> ASGI3Application:
    """ASGI middleware: answers 503 in GraphQL's form where session and user can't be read for an outage.

    What an operation then can't read or write is an error of its fields, as any other.
    """

    async def answering(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        has_begun = False

        async def noted(message: ASGISendEvent) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await application(scope, receive, noted)
        except Error as error:
            if has_begun or not is_outage(error):
                raise
            await _refuse(scope, send)

    return answering


async def _refuse(scope: Scope, send: ASGISendCallable) -> None:
    content = content_of(Unavailable(_("The database does not answer. Please try again in a moment.")), scope)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    headers += [(b"retry-after", str(RETRY_AFTER).encode()), (b"cache-control", b"no-store")]
    await answer(send, 503, headers, content)
