"""Posts what receivers answer: as replies to what they were told of."""

import asyncio
from enum import StrEnum

from chat import hook_messages
from chat.actions import hooking
from chat.domain.events import Event, Kind
from chat.domain.webhooks import Webhook, reply_id
from chat.errors import ChatError, RateLimited, Unavailable
from chat.storage import history, webhook_chains
from chat.storage.database import in_database
from chat.webhooks.attempt import Attempt

PAUSE = 2.0  # seconds, while the database doesn't answer
WAIT_MAX = 600.0  # seconds that an answer waits where its author may not post yet
ANSWERED_KINDS = {Kind.MESSAGE, Kind.EDIT}  # what somebody says


class NotPosted(StrEnum):
    """Why an answer isn't posted, beside the codes of errors."""

    TOO_LONG = "too_long"
    INCOMPLETE = "incomplete"
    TOO_MANY = "too_many_answers"  # of webhooks to each other


async def post_reply(webhook: Webhook, event: Event, message_id: str, attempt: Attempt) -> str:
    """Posts the answer's body, if there is one that says something. Once, however often the event is delivered.

    Returns the offset of the reply as a text, the code of NotPosted or of the error that it met, or nothing. It waits
    for the database as long as that takes, and for the author's turn up to WAIT_MAX.
    """
    if webhook.author is None or event.kind not in ANSWERED_KINDS:
        return ""
    if not attempt.is_complete:
        return NotPosted.TOO_LONG if attempt.is_too_long else NotPosted.INCOMPLETE
    if not attempt.body.strip():
        return ""
    try:
        answer = hook_messages.read(attempt.content_type, attempt.body)
    except ChatError as error:
        return error.code
    target = event.target if event.kind is Kind.EDIT else event.offset
    waited = 0.0
    while True:
        try:
            if await in_database(_is_chain_too_long, event, target or 0):
                return NotPosted.TOO_MANY
            entry = await hooking.post(
                room=event.room,
                text=answer.text,
                username=answer.username,
                person=webhook.author,
                client_id=reply_id(message_id),
                reply_to=target,
                program=f"webhook:{webhook.id}",
            )
        except RateLimited as error:
            waited += error.retry_after
            if waited > WAIT_MAX:
                return error.code
            await asyncio.sleep(error.retry_after)
        except Unavailable:
            await asyncio.sleep(PAUSE)
        except ChatError as error:
            return error.code
        else:
            return str(entry.event.offset)


def _is_chain_too_long(event: Event, target: int) -> bool:
    message = event if event.kind is Kind.MESSAGE else history.find(event.room, target)
    return message is not None and webhook_chains.is_too_long(message)
