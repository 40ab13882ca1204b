"""The reference of the site's own commands of manage.py, as a part of docs/commands.md on the site."""

import logging
import os
from argparse import ArgumentParser, HelpFormatter
from collections.abc import Iterator

import django
from django.core.management import CommandParser, get_commands, load_command_class

from mysite import setting_up

OURS = {"chat", "gqlchat", "mysite"}
WIDTH = 88  # characters, so that a window of usual width shows whole lines


class Formatter(HelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=WIDTH, max_help_position=28)


def markdown() -> str:
    logging.getLogger("environ").setLevel(logging.WARNING)  # it says where there is no .env; Furo has it printed
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.test_settings")
    django.setup()
    parsers = {name: (text, parser) for name, text, parser in [*_commands(), _setup()]}
    parts = [_part(name, *parsers[name]) for name in sorted(parsers)]
    return "\n\n".join(parts) + "\n"


def _part(name: str, text: str, parser: ArgumentParser) -> str:
    return f"## {name}\n\n{text}\n\n```text\n{parser.format_help()}```"


def _commands() -> Iterator[tuple[str, str, ArgumentParser]]:
    for name, app in get_commands().items():
        if app in OURS:
            command = load_command_class(str(app), name)
            parser = CommandParser(prog=f"manage.py {name}", add_help=False, formatter_class=Formatter)
            command.add_arguments(parser)  # and not those that all commands of Django have
            yield name, command.help, parser


def _setup() -> tuple[str, str, ArgumentParser]:
    """`manage.py setup` runs before there are settings, so Django doesn't know it."""
    parser = setting_up.parser()
    parser.formatter_class = Formatter
    text, parser.description = parser.description or "", None
    return "setup", text, parser
