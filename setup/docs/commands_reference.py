"""The reference of the site's own commands of manage.py, as a part of docs/commands.md on the site."""

import logging
import os
from argparse import HelpFormatter
from collections.abc import Iterator

import django
from django.core.management import CommandParser, get_commands, load_command_class

OURS = {"chat", "gqlchat", "mysite"}
WIDTH = 88  # characters, so that a window of usual width shows whole lines


class Formatter(HelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=WIDTH, max_help_position=28)


def markdown() -> str:
    logging.getLogger("environ").setLevel(logging.WARNING)  # it says where there is no .env; Furo has it printed
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.test_settings")
    django.setup()
    return "\n\n".join(_parts()) + "\n"


def _parts() -> Iterator[str]:
    for name, app in sorted(get_commands().items()):
        if app in OURS:
            command = load_command_class(str(app), name)
            parser = CommandParser(prog=f"manage.py {name}", add_help=False, formatter_class=Formatter)
            command.add_arguments(parser)  # and not those that all commands of Django have
            yield f"## {name}"
            yield command.help
            yield f"```text\n{parser.format_help()}```"
