"""The first account of the site's staff, and an invitation to the site that it makes: the end of `manage.py setup`."""

import sys
from argparse import Namespace
from collections.abc import Callable
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import reverse

from chat.actions.inviting import may_register
from chat.forms import clean_account_name
from chat.storage import accounts, audit, invitations
from chat.storage.invitations import InvitationRequest

INVITED = InvitationRequest(uses=20, days=7)


class Wanted(NamedTuple):
    username: str
    password: str


def exists() -> bool:
    """Whether there is an active staff account."""
    users = get_user_model()._default_manager.filter(is_staff=True, is_active=True)
    return _is_migrated() and users.exists()


def _is_migrated() -> bool:
    return {get_user_model()._meta.db_table, "chat_accountskeleton"} <= {*connection.introspection.table_names()}


def ask(options: Namespace, password: str | None, secretly: Callable[[str], str]) -> Wanted:
    """A name and a password that an account may have: by the options, or asked for again and again."""
    while True:
        name = options.username or ("" if options.no_input else input("5. The user name of the first staff account: "))
        try:
            if _is_migrated():
                name = clean_account_name(name)
            elif not name:
                raise ValidationError("Give a name: letters, digits, and @ . + - _")
            if not options.no_input:
                password = secretly("   Its password: ")
            validate_password(password or "", get_user_model()(username=name))
            if not options.no_input and secretly("   Once more: ") != password:
                raise ValidationError("These were two different passwords.")
        except ValidationError as error:
            if options.no_input:
                sys.exit(f"--username or CHAT_SETUP_PASSWORD: {' '.join(error.messages)}")
            print("   " + "\n   ".join(error.messages))
            options.username = None
        else:
            return Wanted(name, password or "")


def finish(wanted: Wanted | None, *, running: bool) -> None:
    """Makes the account and the invitation, and says what to do next."""
    site = settings.CHAT_SITE_URL
    if wanted is None:
        print(f"There is a staff account already. The site is at {site}/chat/")
        return
    secret = None
    with audit.by_command("setup"), accounts.names_locked():
        user = get_user_model()._default_manager.create_superuser(wanted.username, password=wanted.password)
        if may_register(invited=True):
            secret = invitations.create(user=user, room=None, request=INVITED)
    print(f"\nThe staff account {wanted.username} is made: log in at {site}{reverse('login')}")
    if secret:
        link = f"{site}{reverse('invitation', args=[secret])}"
        print(f"An invitation for {INVITED.uses} people, for {INVITED.days} days: {link}")
    if not running:
        print("Instances on several machines need one Redis or Valkey between them: REDIS_URL in .env.")
        print("Next: start the site, by `make run` or as docs/deploy.md says, if it isn't running yet.")
