"""Posts what receivers answer: as replies to what they were told of."""

import asyncio
import logging

from chat import hook_messages
from chat.actions import hooking
from chat.domain.events import Event, Kind
from chat.domain.webhooks import Webhook, reply_id
from chat.errors import ChatError, RateLimited, Unavailable
from chat.hook_errors import UnknownHookType
from chat.storage import history, webhook_chains
from chat.storage.database import in_database
from chat.webhooks.attempt import Attempt

logger = logging.getLogger(__name__)

TRIES = 5  # where the author posts too much, or the database doesn't answer
LONGEST_WAIT = 10.0  # seconds from one of them to the next
ANSWERED_KINDS = {Kind.MESSAGE, Kind.EDIT}  # what somebody says


async def post_reply(webhook: Webhook, event: Event, message_id: str, attempt: Attempt) -> str:
    """Posts the answer's body, if there is one that says something. Once, however often the event is delivered.

    Returns the offset of the reply as a text, the code of the error that it met, or nothing.
    """
    if webhook.author is None or event.kind not in ANSWERED_KINDS or not attempt.body.strip():
        return ""
    if not attempt.is_complete:
        return "incomplete"
    try:
        answer = hook_messages.read(attempt.content_type, attempt.body)
    except UnknownHookType:
        return ""  # a page in HTML, say
    except ChatError as error:
        return error.code
    target = event.target if event.kind is Kind.EDIT else event.offset
    for _ in range(TRIES):
        try:
            if await in_database(_is_chain_too_long, event, target or 0):
                return "too_many_answers"
            entry = await hooking.post(
                room=event.room,
                text=answer.text,
                username=answer.username,
                person=webhook.author,
                client_id=reply_id(message_id),
                reply_to=target,
            )
        except RateLimited as error:
            await asyncio.sleep(min(error.retry_after, LONGEST_WAIT))
        except Unavailable:
            await asyncio.sleep(1)
        except ChatError as error:
            return error.code
        else:
            return str(entry.event.offset)
    return RateLimited.code


def _is_chain_too_long(event: Event, target: int) -> bool:
    message = event if event.kind is Kind.MESSAGE else history.find(event.room, target)
    return message is not None and webhook_chains.is_too_long(message)
