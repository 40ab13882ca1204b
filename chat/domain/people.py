"""The people who speak: users of the site, and guests, whose names stay with their sessions."""

import random
import re
import secrets
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from chat import log_context
from chat.domain import names
from chat.domain.addresses import address_of
from chat.domain.grants import Grant, Scope

NAME_MAX = 40  # characters
SESSION_KEY = "chat_guest"  # in a session, of its guest
GRANT_KEY = "chat_grant"  # in a connection's scope, what the token allows by which it was let in
SCOPE_KEY = "chat_person"  # in a connection's scope, of a guest without a session, and of who was renamed meanwhile
PROFILE = "chat_profile"  # by this attribute of a Django user, as chat.models.Profile says
USER = "user-"
GUEST = "guest-"
USER_ID = re.compile(r"user-[0-9]{1,18}", re.ASCII)
GUEST_ID = re.compile(r"guest-[0-9a-f]{16}", re.ASCII)

MOODS = "Amber Brave Bright Calm Clever Curious Eager Gentle Happy Jolly Kind Lively Lucky Merry Quiet Swift".split()
ANIMALS = "Badger Crane Dolphin Falcon Fox Hare Heron Ibis Lynx Marten Otter Owl Raven Robin Seal Wren".split()

JsonPerson = dict[str, str]


@dataclass(frozen=True, slots=True)
class Person:
    """`id` tells people apart and is safe to show: `user-<primary key>`, `guest-<random>` or a foreign sender's own."""

    id: str
    name: str
    lasting: bool = field(default=True, compare=False)
    """Whether they are the same on another connection: a guest without a session is not."""
    address: str | None = field(default=None, compare=False)
    """The address that they speak from, if they come through a door; by `chat.domain.addresses`, for limits."""
    username: str | None = field(default=None, compare=False)
    """The name that their account has, beside the one that others see; None for guests, and where it isn't known."""
    grant: Grant | None = None
    """The rights of the token by which they ask; None where they ask by themselves, with all that they may."""

    @property
    def is_guest(self) -> bool:
        return not self.id.startswith(USER)

    @property
    def user_id(self) -> Any:
        """The primary key of their account, as a text; None for guests."""
        return None if self.is_guest else self.id.removeprefix(USER)

    def allows(self, scope: Scope) -> bool:
        """Whether the token by which they ask, if there is one, has that scope."""
        return self.grant is None or scope in self.grant.scopes

    def require(self, *scopes: Scope) -> None:
        """Raises InsufficientScope if they ask by a token that has none of `scopes`."""
        if self.grant is not None:
            self.grant.require(*scopes)

    def require_all_rooms(self) -> None:
        """Raises InsufficientScope if they ask by a token that is for some rooms."""
        if self.grant is not None:
            self.grant.require_all_rooms()

    @property
    def handle(self) -> str | None:
        """The username, where that is another than the name that others see."""
        return self.username if self.username != self.name else None

    @property
    def profile_path(self) -> str | None:
        """The path of the address that leads to their profile; None for guests, who have none."""
        return reverse("profile_by_id", args=[self.id]) if USER_ID.fullmatch(self.id) else None

    def as_json(self) -> JsonPerson:
        """As somebody who is named in an entry is stored, and travels in a group."""
        known = {"id": self.id, "name": self.name}
        return known if self.username is None else {**known, "username": self.username}

    @classmethod
    def all_from_json(cls, value: object) -> tuple["Person", ...]:
        """Those in a list of values that `as_json` returned. Other values are left out."""
        found = []
        for one in value if isinstance(value, list) else ():
            match one:
                case {"id": str(id), "name": str(name), **others}:
                    username = others.get("username")
                    found.append(cls(id=id, name=name, username=username if isinstance(username, str) else None))
        return tuple(found)


def of_user(user: Any) -> Person:
    """The person behind an authenticated Django user: by the display name of their profile, or else the username.

    Nothing is read here, so the profile counts that was read with the user: `chat.storage.accounts.users`.
    """
    profile = user._meta.get_field(PROFILE).get_cached_value(user, default=None)
    return of_account(user.pk, user.get_username(), profile.display_name if profile is not None else None)


def of_account(primary_key: object, username: str, display_name: str | None) -> Person:
    """The person of an account; `display_name` is empty or None where they have none."""
    return Person(id=f"{USER}{primary_key}", name=display_name or username, username=username)


def new_guest(name: str | None = None) -> Person:
    """A guest nobody has met before, and nobody will again; without a `name`, one like "Quiet Otter 42"."""
    if name is None:
        name = f"{random.choice(MOODS)} {random.choice(ANIMALS)} {random.randint(10, 99)}"
    return Person(id=f"{GUEST}{secrets.token_hex(8)}", name=name, lasting=False)


def guest_of(session: MutableMapping[str, Any]) -> Person:
    """The guest of a Django session, who is given an id and a name on the first visit."""
    known = session.get(SESSION_KEY)
    if known is None:
        guest = new_guest()
        known = session[SESSION_KEY] = {"id": guest.id, "name": guest.name}
    return Person(**known)


def clean_name(name: object) -> str:
    """A name that a guest may have, unless it is somebody's already. Raises InvalidName."""
    return names.clean(name, what=_("The name"), longest=NAME_MAX)


def rename_guest(session: MutableMapping[str, Any], name: str) -> None:
    """Gives the session's guest another name; the id stays."""
    session[SESSION_KEY] = {"id": guest_of(session).id, "name": name}


def of_request(request: HttpRequest) -> Person:
    if request.user.is_authenticated:
        getattr(request.user, PROFILE, None)  # read once for each request, like the user
        person = of_user(request.user)
    else:
        person = guest_of(request.session)
    log_context.identify(person.id)
    grant = getattr(request, "scope", {}).get(GRANT_KEY)
    return person if grant is None else replace(person, grant=grant)


def of_scope(scope: MutableMapping[str, Any] | None, *, remember: bool = False) -> Person:
    """The person at the other end of an ASGI connection, with or without AuthMiddlewareStack around it.

    Without a session, that is a guest for as long as the connection lasts: a WebSocket can't hand out the cookie of a
    new session. HTTP can; with `remember` it does.
    """
    if scope is None:
        person = new_guest()
    else:
        person = replace(_found(scope, remember), address=address_of(scope), grant=scope.get(GRANT_KEY))
    log_context.identify(person.id)
    return person


def rename_in_scope(scope: MutableMapping[str, Any], person: Person) -> None:
    """Has `of_scope` say `person` from now on, who has another name than when session and user were read."""
    scope[SCOPE_KEY] = person


def _found(scope: MutableMapping[str, Any], remember: bool) -> Person:
    user = scope.get("user")
    if user is not None and user.is_authenticated:
        return scope.get(SCOPE_KEY) or of_user(user)
    session = scope.get("session")
    if remember and session is not None and scope["type"] == "http":
        return guest_of(session)
    if SCOPE_KEY in scope:
        known: Person = scope[SCOPE_KEY]
        return known
    if session is not None and SESSION_KEY in session:
        return guest_of(session)
    guest = scope[SCOPE_KEY] = new_guest()
    return guest


def context(request: HttpRequest) -> Mapping[str, object]:
    """Template context: `person`, the one who asks, and whether guests are offered to sign up.

    The person is lazy: only a page that shows a guest's name starts a session.
    """
    may_sign_up = settings.CHAT_PASSWORDS and settings.CHAT_REGISTRATION == "open"
    return {"person": SimpleLazyObject(lambda: of_request(request)), "may_sign_up": may_sign_up}
