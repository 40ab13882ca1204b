"""The tables: rooms, their entries, people, files, tokens, invitations, webhooks, the audit log, the state of search.

`chat.storage` reads and writes them.

Columns that came later have a default in the database: an instance of the version before can go on writing.
"""

from chat.models.audit import AuditRecord, Verb
from chat.models.files import Attachment, AttachmentState, FileUsage
from chat.models.identities import ProviderIdentity
from chat.models.invitations import Invitation
from chat.models.links import LinkPreview
from chat.models.login_links import LoginLink
from chat.models.messages import (
    LastPost,
    Mention,
    Message,
    MessageReaction,
    RandomId,
    Report,
    entry_id,
    without_hyphens,
)
from chat.models.people import AccountSkeleton, DisplayNameSkeleton, IgnoredPerson, Involvement, Profile, Reading
from chat.models.push import (
    Detail,
    DueMessage,
    DueRetry,
    NotificationChoice,
    PushedRoom,
    PushSubscription,
    VapidKey,
)
from chat.models.rooms import Ban, Role, Room, RoomMember
from chat.models.search import SearchPending, SearchProgress
from chat.models.tokens import Bot, Token
from chat.models.webhooks import Courier, Webhook, WebhookDelivery, WebhookPosition

__all__ = [
    "AccountSkeleton",
    "Attachment",
    "AttachmentState",
    "AuditRecord",
    "Ban",
    "Bot",
    "Courier",
    "Detail",
    "DisplayNameSkeleton",
    "DueMessage",
    "DueRetry",
    "FileUsage",
    "IgnoredPerson",
    "Invitation",
    "Involvement",
    "LastPost",
    "LinkPreview",
    "LoginLink",
    "Mention",
    "Message",
    "MessageReaction",
    "NotificationChoice",
    "Profile",
    "ProviderIdentity",
    "PushSubscription",
    "PushedRoom",
    "RandomId",
    "Reading",
    "Report",
    "Role",
    "Room",
    "RoomMember",
    "SearchPending",
    "SearchProgress",
    "Token",
    "VapidKey",
    "Verb",
    "Webhook",
    "WebhookDelivery",
    "WebhookPosition",
    "entry_id",
    "without_hyphens",
]
