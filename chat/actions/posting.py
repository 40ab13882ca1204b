"""The only way into a room: every door, and every program beside them, posts here."""

from chat import metrics, tracing
from chat.actions import rate_limits
from chat.actions.group_commit import GroupCommit
from chat.actions.link_previews import LinkingMessage, LinkPreviews
from chat.domain.files import read_ids
from chat.domain.grants import Scope
from chat.domain.mentions import names_in
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.domain.texts import check_client_id, clean_text
from chat.errors import ChatError
from chat.storage import mentions
from chat.storage.database import in_database
from chat.storage.drafts import Draft
from chat.storage.history import check_offset
from chat.storage.log import Entry


@tracing.traced("message.post")
async def post(
    *,
    room: Room,
    message: object,
    person: Person,
    client_id: object = None,
    reply_to: object = None,
    attachments: object = None,
    trusted: bool = False,
    program: str | None = None,
) -> Entry:
    """Says `message` in `room`. When this returns it is stored, and everyone who listens there hears it.

    `message`, `client_id`, `reply_to` and `attachments` are whatever a client sent in their place. With a `client_id`
    that the same sender has used in this room before, it is the first message that comes back, and nobody hears it
    twice. `reply_to` is the offset of the message that this one quotes. `attachments` are the ids of files that the
    person has uploaded to the room; with them, the message may be blank. With `trusted` it is the site itself that
    speaks, which may in any room. `program` is as `rate_limits.spend` has it.

    Raises InvalidMessage, BlankMessage, MessageTooLong, InvalidClientId, InvalidPosition, InvalidAttachments,
    TooManyFiles, InsufficientScope, RateLimited, Banned, NotAMember, NoSuchMessage, NoSuchFile or Unavailable.
    """
    try:
        person.require(Scope.WRITE)
        files = read_ids(attachments)
        text, client_id = clean_text(message, may_be_blank=bool(files)), check_client_id(client_id)
        quoted = None if reply_to is None else check_offset(reply_to)
        await rate_limits.spend(person, program=program)
        draft = Draft(
            room=room,
            text=text,
            person=person,
            client_id=client_id,
            reply_to=quoted,
            mentions=await _called(room, text, person),
            files=files,
            trusted=trusted,
        )
        entry = await GroupCommit.here().store(draft)
    except ChatError as error:
        metrics.POSTS.labels(error.code).inc()
        raise
    metrics.POSTS.labels("repeated" if entry.repeated else "stored").inc()
    if not entry.repeated and entry.event.offset is not None:
        LinkPreviews.here().consider(LinkingMessage(room, entry.event.offset, text, person))
    return entry


async def _called(room: Room, text: str, by: Person) -> tuple[Person, ...]:
    """The people whom `text` mentions. Few texts call anybody; the others cost no hop to the database."""
    return tuple(await in_database(mentions.resolve, room, text, by=by)) if names_in(text) else ()
