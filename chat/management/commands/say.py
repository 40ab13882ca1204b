"""`manage.py say <room> <message>`: posts from a shell, a cron job, another machine."""

import asyncio
import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from chat.actions import posting
from chat.delivery.publisher import Publisher
from chat.domain import people, rooms
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import ChatError


class Command(BaseCommand):
    help = "Says something in a room: everyone who is there hears it, in browsers and through GraphQL."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("room", help="the room's name, as people type it")
        parser.add_argument("message", help="the text")
        parser.add_argument("--as", dest="name", default=getpass.getuser(), help="who says it (default: %(default)s)")

    @no_translations  # of what went wrong
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            person = people.new_guest(people.clean_name(options["name"]))
            room = rooms.find(options["room"])
            asyncio.run(say(room, options["message"], person))
        except ChatError as error:
            raise CommandError(str(error)) from error


async def say(room: Room, message: str, person: Person) -> None:
    await posting.post(room=room, message=message, person=person, trusted=True)
    await Publisher.here().flush()  # the loop ends here, and with it whatever is still to be sent
