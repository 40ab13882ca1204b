"""Tokens in the database: whose they are and whether they hold, making them, and revoking them.

A token holds until it expires, or is deleted, which revokes it; while its user is active; and that of a room's bot only
while the bot is a member of the room.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.domain import people
from chat.domain.grants import Grant, Scope
from chat.domain.people import PROFILE, Person
from chat.domain.rooms import Room
from chat.domain.token_requests import TokenRequest
from chat.domain.tokens import digest, make
from chat.models import Bot, RoomMember, Token, Verb
from chat.storage import accounts, audit
from chat.storage.database import writes
from chat.token_errors import TooManyTokens

TOKENS_MAX = 50  # of a user
USE_NOTED_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Bearer:
    """The user whose token a connection has brought, and what the token allows."""

    user: Any
    grant: Grant
    is_use_old: bool
    """Whether the last use that is stored is so long ago that this one should be noted."""


def bearers(secrets: Sequence[str]) -> list[Bearer | None]:
    """Those who bring these tokens, in the same order; None for a token that doesn't hold. One query."""
    found = _holding().filter(digest__in={digest(secret) for secret in secrets})
    by_digest = {token.digest: token for token in found.select_related(f"user__{PROFILE}", "user__chat_bot__room")}
    tokens = [by_digest.get(digest(secret)) for secret in secrets]
    return [None if token is None else _bearer(token) for token in tokens]


def _bearer(token: Token) -> Bearer:
    scopes = frozenset(Scope(scope) for scope in token.scopes.split() if scope in {*Scope})
    is_use_old = token.used_at is None or token.used_at < timezone.now() - USE_NOTED_EVERY
    return Bearer(token.user, Grant(token.pk, scopes, _rooms(token)), is_use_old)


def _rooms(token: Token) -> frozenset[str] | None:
    rooms = None if token.rooms is None else frozenset(token.rooms)
    bot = bot_of(token.user)
    if bot is None or bot.room is None:
        return rooms
    own = frozenset({bot.room.name})
    return own if rooms is None else rooms & own


def bot_of(user: Any) -> Bot | None:
    """The bot that `user` is, if it is one."""
    bot: Bot | None = getattr(user, "chat_bot", None)
    return bot


def _holding() -> QuerySet[Token]:
    member = RoomMember.objects.filter(room=OuterRef("user__chat_bot__room"), user=OuterRef("user"))
    return Token.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=timezone.now()),
        Q(user__chat_bot=None) | Q(user__chat_bot__room=None) | Exists(member),
        user__is_active=True,
    )


def holding(ids: Collection[int]) -> set[int]:
    """Those of the tokens with these ids that hold."""
    return set(_holding().filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()


@writes
def note_use(*, token_id: int) -> None:
    """Notes that the token is used now, unless another process has done so."""
    now = timezone.now()
    old = Q(used_at=None) | Q(used_at__lt=now - USE_NOTED_EVERY)
    Token.objects.filter(old, pk=token_id).update(used_at=now)


def of_user(user_id: Any) -> list[Token]:
    """The tokens of a user, the newest first, those too that have expired."""
    return list(Token.objects.filter(user_id=user_id).order_by("-pk"))


def counts(user_ids: Iterable[Any]) -> dict[Any, int]:
    """How many tokens each of these users has; those who have none are left out."""
    found = Token.objects.filter(user_id__in=[*user_ids]).values_list("user_id")
    return dict(found.annotate(Count("pk")))


@writes
def create(*, user_id: Any, request: TokenRequest, by: Person | None) -> str:
    """Makes a token and returns its secret, which can't be read again. `by` is the person who does it.

    Raises TooManyTokens.
    """
    secret = make()
    with transaction.atomic():
        if Token.objects.filter(user_id=user_id).count() >= TOKENS_MAX:
            raise TooManyTokens(_("There are {most} tokens already. Revoke one first."), most=TOKENS_MAX)
        token = Token.objects.create(
            user_id=user_id,
            digest=digest(secret),
            name=request.name,
            scopes=" ".join(scope for scope in Scope if scope in request.scopes),
            rooms=None if request.rooms is None else sorted(request.rooms),
            expires_at=request.expires_at,
        )
        record(by, Verb.TOKEN_MADE, token)
    return secret


@writes
def delete(*, user_id: Any, token_id: int, by: Person | None) -> bool:
    """Revokes a token of the user's. Returns whether there was one. `by` is the person who does it."""
    with transaction.atomic():
        for token in Token.objects.filter(user_id=user_id, pk=token_id).select_for_update():
            record(by, Verb.TOKEN_REVOKED, token)
            token.delete()
            return True
    return False


def delete_of_bot(person: Person, *, room_id: Any, by: Person | None) -> None:
    """Revokes the tokens of a bot of that room, which isn't in it any more. Of anybody else, nothing happens."""
    if person.user_id is not None:
        for token in Token.objects.filter(user_id=person.user_id, user__chat_bot__room=room_id):
            record(by, Verb.TOKEN_REVOKED, token)
            token.delete()


def record(by: Person | None, verb: Verb, token: Token) -> None:
    """Records what is done to a token: whose it is, and what it is for, but not the secret."""
    user = accounts.users().select_related("chat_bot__room").get(pk=token.user_id)
    bot = bot_of(user)
    audit.record(
        by,
        verb,
        room=Room(bot.room.name) if bot and bot.room else None,
        target=people.of_user(user),
        token=token.pk,
        name=token.name,
        scopes=token.scopes.split(),
        rooms=token.rooms,
        expires=token.expires_at and token.expires_at.isoformat(timespec="seconds"),
    )
