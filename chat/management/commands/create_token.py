"""`manage.py create_token USERNAME`: a token for a program, of a user or of a bot. See docs/tokens.md."""

from argparse import ArgumentParser
from typing import Any

from asgiref.sync import async_to_sync
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, no_translations

from chat.actions import bots, tokens
from chat.domain.grants import Scope
from chat.domain.token_requests import TokenRequest
from chat.errors import ChatError
from chat.forms import clean_account_name
from chat.management.audited_command import AuditedCommand
from chat.storage import accounts


class Command(AuditedCommand):
    help = "Makes a token with which a program acts as a user. It is printed once, and can't be read again."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="whose token it is to be")
        parser.add_argument("--bot", action="store_true", help="make a bot of the site of that name first")
        parser.add_argument("--name", default="create_token", help="what it is for (default: %(default)s)")
        parser.add_argument("--scope", action="append", choices=[*Scope], help="may be repeated (default: read, write)")
        parser.add_argument(
            "--room", action="append", default=[], help="a room it is for; may be repeated (default: all)"
        )
        parser.add_argument("--days", type=int, help="after which it expires (default: never)")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        scopes = options["scope"] or [Scope.READ, Scope.WRITE]
        try:
            request = TokenRequest.clean(
                name=options["name"], scopes=scopes, rooms=options["room"], days=options["days"]
            )
            user = self.user(options["username"], make_bot=options["bot"])
            secret = async_to_sync(tokens.create)(request, user_id=user.pk, by=None)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        except ChatError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(secret)

    def user(self, username: str, *, make_bot: bool) -> Any:
        if make_bot and accounts.users().filter(username=username).exists():
            raise CommandError(f"There is a user “{username}” already. For another token of theirs, leave out --bot.")
        if make_bot:
            return async_to_sync(bots.make)(clean_account_name(username), None, by=None)
        user = accounts.users().filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user “{username}”. To make a bot of that name, add --bot.")
        return user
