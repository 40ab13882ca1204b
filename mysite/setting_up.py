"""`manage.py setup`: asks five questions, writes .env, migrates, and makes the first staff account and an invitation.

It runs before there are settings, so Django is imported only once the first four questions are answered. Nothing is
written before the last one is. With --no-input it takes the answers from options, and the password from
CHAT_SETUP_PASSWORD.
"""

import argparse
import getpass
import os
import re
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from mysite import dotenv
from mysite.environment import POSTGRESQL_FORM, has_one_reading, problem_with_redis_url, split_redis_urls

ROOT = Path(__file__).resolve().parent.parent
HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
REGISTRATIONS = ("open", "invitation", "closed")
PASSWORD = "CHAT_SETUP_PASSWORD"  # in the environment, for scripts
CONNECT_TIMEOUT = 5  # seconds


class Wrong(Exception):
    """An answer that can't be used; the text says what to do."""


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser("manage.py setup", description="Sets the site up: .env, tables, the first account.")
    found.add_argument("--no-input", action="store_true", help="ask nothing: the options and .env have the answers")
    found.add_argument("--overwrite", action="store_true", help="with --no-input: change what .env has already")
    found.add_argument("--env-file", type=Path, default=ROOT / ".env", metavar="PATH")
    found.add_argument("--compose", type=Path, metavar="PATH", help="only write the .env of compose.yaml, there")
    found.add_argument("--account", action="store_true", help="only migrate and make the first staff account")
    found.add_argument("--domain", help="the name of the site: chat.example.org")
    found.add_argument("--database", help="postgres://user:password@host:5432/name; empty for SQLite")
    found.add_argument("--redis", help="redis://:password@host:6379/0; empty for the embedded Valkey. Not asked")
    found.add_argument("--email", help="smtp+tls://user:password@mail.example.org:587; empty for none")
    found.add_argument("--registration", choices=REGISTRATIONS, help="whether people may sign up by themselves")
    found.add_argument("--username", help="the name of the first staff account")
    return found


def main(arguments: Sequence[str]) -> None:
    options = parser().parse_args(arguments)
    try:
        if options.account:
            make_account(options)
            return
        path = options.compose or options.env_file
        if problem := dotenv.problem_with(path):
            sys.exit(problem)
        known = dotenv.read(path)
        changed = {name: value for name, value in answers(options, known).items() if known.get(name) != value}
        agree(options, [name for name in changed if known.get(name)])
        if options.compose:
            dotenv.write(path, changed)
            print("\nWritten to .env. Next: the site is started, and you make the first account.")
        else:
            make_account(options, path, changed, known)
    except (KeyboardInterrupt, EOFError):
        sys.exit("\nBroken off. Answers that weren't written yet are gone; begin again with: manage.py setup")


def answers(options: argparse.Namespace, known: dict[str, str]) -> dict[str, str]:
    """The variables, by the first four questions. What .env has is the answer to Enter."""
    values = {"SECRET_KEY": known.get("SECRET_KEY") or secrets.token_urlsafe(50)}
    name = "SITE_DOMAIN" if options.compose else "ALLOWED_HOSTS"
    example = "chat.example.org" if options.compose else "chat.example.org; Enter: this machine alone"
    domain = ask(options, "domain", f"1. The name of the site ({example})", known.get(name, ""), check_domain(options))
    if options.compose:
        values |= {name: domain, "POSTGRES_PASSWORD": known.get("POSTGRES_PASSWORD") or secrets.token_urlsafe(32)}
        print("2. The database is the PostgreSQL of compose.yaml.")
    else:
        question = "2. The database (postgres://user:password@host:5432/name; Enter: SQLite)"
        values["DATABASE_URL"] = ask(options, "database", question, known.get("DATABASE_URL", ""), check_database)
        if options.redis is not None:
            values["REDIS_URL"] = ask(options, "redis", "", "", check_redis)
        if domain:
            values |= {name: domain, "DEBUG": "false"}
    question = "3. The server for e-mails (smtp+tls://user:password@mail.example.org:587; Enter: none)"
    values["EMAIL_URL"] = ask(options, "email", question, known.get("EMAIL_URL", ""), check_email)
    question = "4. Who may sign up (open; or, and then guests don't get in either: invitation, closed)"
    known_one = known.get("CHAT_REGISTRATION", "open")
    values["CHAT_REGISTRATION"] = ask(options, "registration", question, known_one, check_registration)
    if values["CHAT_REGISTRATION"] != "open":
        values["CHAT_GUESTS"] = known.get("CHAT_GUESTS") or "false"  # others come by an account, too
    return {name: value for name, value in values.items() if value or known.get(name)}


def ask(options: Any, option: str, question: str, default: str, check: Callable[[str], str]) -> str:
    """The option's value, or an answer that `check` accepts; with --no-input, the default is the answer."""
    given = getattr(options, option)
    if given is not None or options.no_input:
        try:
            return check((default if given is None else given).strip())
        except Wrong as wrong:
            sys.exit(f"--{option}: {wrong}")
    shown = "as it is" if "://" in default else default  # which may have a password
    while True:
        try:
            return check(input(f"{question}{f' [{shown}]' if shown else ''}: ").strip() or default)
        except Wrong as wrong:
            print(f"   {wrong}")


def check_domain(options: Any) -> Callable[[str], str]:
    def check(text: str) -> str:
        names = [name.strip().lower() for name in text.split(",") if name.strip()]
        if options.compose and len(names) != 1:
            raise Wrong("Give one name, to which Caddy can get a certificate: chat.example.org. To try it: localhost")
        if not all(HOST.fullmatch(name) for name in names):
            raise Wrong("Give the name alone, without https:// and without a path: chat.example.org")
        return ",".join(names)

    return check


def check_database(text: str) -> str:
    if not text or text.startswith("sqlite:///"):
        return text
    if not text.startswith(("postgres://", "postgresql://")):
        raise Wrong("It begins with postgres:// or sqlite:///. Special characters of a password are percent-encoded.")
    if not has_one_reading(text):
        raise Wrong(f"It can't be understood. It has to {POSTGRESQL_FORM}.")
    import psycopg

    try:
        psycopg.connect(text, connect_timeout=CONNECT_TIMEOUT).close()
    except psycopg.ProgrammingError:  # whose text may have a part of the password
        raise Wrong(f"It can't be understood. It has to {POSTGRESQL_FORM}.") from None
    except psycopg.Error as error:
        raise Wrong(f"It can't be reached: {str(error).splitlines()[0]}. Is it running, with that user?") from None
    return text


def check_redis(text: str) -> str:
    for url in split_redis_urls(text):
        if problem := problem_with_redis_url(url):
            raise Wrong(f"It has to {problem}.")
    return text


def check_email(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = not text or (parts.scheme in {"smtp", "smtp+tls", "smtp+ssl"} and parts.hostname and parts.port != 0)
        usable = usable and "@" not in parts.path + parts.query  # after a slash, say, in the password
    except ValueError:
        usable = False
    if not usable or any(character in text for character in " $#'\""):
        raise Wrong("It is like smtp+tls://user:password@mail.example.org:587, with / as %2F, $ as %24 and so on.")
    return text


def check_registration(text: str) -> str:
    if text not in REGISTRATIONS:
        raise Wrong(f"Answer {' or '.join(REGISTRATIONS)}: everybody, people with an invitation, nobody.")
    return text


def agree(options: argparse.Namespace, names: list[str]) -> None:
    """Ends the program unless what .env has may be changed."""
    if not names or options.overwrite:
        return
    if options.no_input:
        sys.exit(f".env has other values of {', '.join(names)}. With --overwrite, they are changed.")
    if input(f"Change {', '.join(names)} in .env? [y/N]: ").strip().lower() not in {"y", "yes"}:
        sys.exit("Nothing is changed.")


def make_account(
    options: argparse.Namespace,
    path: Path | None = None,
    changed: Mapping[str, str] = MappingProxyType({}),
    known: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Asks the fifth question, writes the .env at `path`, migrates, and makes account and invitation."""
    os.environ.update({**known, **changed})
    import django

    django.setup()  # ends the program, before anything is written, where a setting makes no sense
    from django.core.management import call_command

    from mysite import first_account

    wanted = None if first_account.exists() else first_account.ask(options, os.environ.get(PASSWORD), getpass.getpass)
    if path is not None:
        dotenv.write(path, changed)
        print("Written to .env.")
    call_command("migrate", interactive=False, verbosity=0)
    first_account.finish(wanted, running=options.account)
    dotenv.give_back(ROOT / "var")
