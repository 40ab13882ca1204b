"""The environment and what it makes of the site. Each case is a process of its own: settings are read once."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT

PRINT = """
import json
from django.conf import settings
print(json.dumps({name: getattr(settings, name) for name in %r}, default=str))
"""


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    # An empty value in the environment wins over whatever a developer's .env says
    defaults = dict.fromkeys(["SECRET_KEY", "DATABASE_URL", "REDIS_URL"], "") | {"DEBUG": "false"}
    variables = {**clean, **defaults, "DJANGO_SETTINGS_MODULE": "mysite.settings", **environment}
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=variables, capture_output=True, text=True)


def settings_of(*names: str, **environment: str) -> dict:
    done = run("-c", PRINT % (names,), **{"SECRET_KEY": "key", **environment})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_production_start_without_a_key_is_refused_in_one_line() -> None:
    for command in (["manage.py", "check"], ["-m", "uvicorn", "mysite.asgi:application"]):
        done = run(*command)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "SECRET_KEY is not set" in done.stderr


def test_development_needs_no_key() -> None:
    assert run("manage.py", "check", DEBUG="true").returncode == 0


def test_a_key_is_taken_as_it_is() -> None:
    assert settings_of("SECRET_KEY", SECRET_KEY="$abc#def")["SECRET_KEY"] == "$abc#def"


def test_the_deployment_check_is_clean_with_a_key_and_a_host() -> None:
    key = "k3y-" + "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP"
    done = run(
        "manage.py", "check", "--deploy", "--fail-level", "WARNING", SECRET_KEY=key, ALLOWED_HOSTS="chat.example.org"
    )
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize(
    ("environment", "https"),
    [
        ({}, False),
        ({"ALLOWED_HOSTS": "localhost,127.0.0.1"}, False),
        ({"ALLOWED_HOSTS": "*"}, False),
        ({"ALLOWED_HOSTS": "chat.example.org"}, True),
        ({"ALLOWED_HOSTS": "chat.example.org", "DEBUG": "true"}, False),
        ({"ALLOWED_HOSTS": "chat.example.org", "CHAT_HTTPS": "false"}, False),
        ({"CHAT_HTTPS": "true"}, True),
    ],
)
def test_a_site_on_the_internet_is_https_only_unless_told_otherwise(environment: dict, https: bool) -> None:
    names = ["SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"]
    assert settings_of(*names, **environment) == dict.fromkeys(names, https)


HSTS = ["SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD"]


@pytest.mark.parametrize(
    ("environment", "hsts"),
    [
        ({"CHAT_HTTPS": "true"}, [86_400, False, False]),
        ({"CHAT_HTTPS": "false"}, [0, False, False]),
        ({"CHAT_HTTPS": "false", "CHAT_HSTS_SECONDS": "60", "CHAT_HSTS_PRELOAD": "true"}, [0, False, False]),
        ({"CHAT_HTTPS": "true", "CHAT_HSTS_SECONDS": "31536000"}, [31_536_000, False, False]),
        ({"CHAT_HTTPS": "true", "CHAT_HSTS_SUBDOMAINS": "true", "CHAT_HSTS_PRELOAD": "true"}, [86_400, True, True]),
    ],
)
def test_browsers_remember_https_for_a_day_and_this_host_unless_asked_for_more(environment: dict, hsts: list) -> None:
    assert settings_of(*HSTS, **environment) == dict(zip(HSTS, hsts, strict=True))


def test_a_site_in_production_that_takes_any_host_is_refused_and_so_is_its_release(tmp_path: Path) -> None:
    site = {"SECRET_KEY": "key", "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    for command in ["check", "migrate"]:
        done = run("manage.py", command, ALLOWED_HOSTS="chat.example.org,*", **site)
        assert done.returncode == 1
        assert "chat.E002" in done.stderr
        assert not (tmp_path / "db.sqlite3").exists()
    assert run("manage.py", "check", ALLOWED_HOSTS="*", DEBUG="true").returncode == 0
    assert run("manage.py", "migrate", "--no-input", ALLOWED_HOSTS="chat.example.org", **site).returncode == 0


def test_introspection_and_graphiql_are_for_development_unless_asked_for() -> None:
    names = ["CHAT_GRAPHIQL", "CHAT_INTROSPECTION"]
    assert settings_of(*names) == dict.fromkeys(names, False)
    assert settings_of(*names, DEBUG="true") == dict.fromkeys(names, True)
    assert settings_of(*names, CHAT_GRAPHIQL="true", CHAT_INTROSPECTION="true") == dict.fromkeys(names, True)


def test_the_content_security_policy_names_the_sites_sockets_for_browsers_that_need_it() -> None:
    def connects(**environment: str) -> list[str]:
        name = "CONTENT_SECURITY_POLICY"
        return settings_of(name, **environment)[name]["DIRECTIVES"]["connect-src"]

    assert connects() == connects(CHAT_HTTPS="true") == ["'self'"]
    sockets = ["'self'", "wss://chat.example.org", "wss://*.example.com"]
    assert connects(ALLOWED_HOSTS="chat.example.org,.example.com,localhost,*") == sockets


def test_redis_and_database_are_where_their_urls_say() -> None:
    found = settings_of(
        "CHANNEL_LAYERS",
        "DATABASES",
        REDIS_URL="redis://redis.example:6379/1",
        DATABASE_URL="postgres://u:p@db:5433/chat",
    )
    assert found["CHANNEL_LAYERS"]["default"]["CONFIG"]["hosts"][0]["address"] == "redis://redis.example:6379/1"
    database = found["DATABASES"]["default"]
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db", 5433, "chat")


def test_what_a_database_url_says_beside_the_address_holds_with_a_pool() -> None:
    url = "postgres://u:p@db/chat?sslmode=verify-full&connect_timeout=9"
    found = settings_of("DATABASES", DATABASE_URL=url, CHAT_DATABASE_CONNECTIONS="3")
    options = found["DATABASES"]["default"]["OPTIONS"]
    assert (options["sslmode"], options["connect_timeout"], options["pool"]["max_size"]) == ("verify-full", 9, 3)


def test_every_variable_that_is_read_is_in_the_example_and_the_example_changes_nothing() -> None:
    read = set(re.findall(r'env(?:\.\w+)*\("(\w+)"', (ROOT / "mysite" / "settings.py").read_text()))
    example = (ROOT / ".env.example").read_text()
    assert read <= set(re.findall(r"^#(\w+)=", example, re.MULTILINE))
    assert not re.findall(r"^[^#\n]", example, re.MULTILINE)


def test_no_other_file_reads_the_environment() -> None:
    places = [path for app in ("chat", "gqlchat", "mysite") for path in (ROOT / app).rglob("*.py")]
    readers = {path.relative_to(ROOT) for path in places if "environ" in path.read_text()}
    assert readers == {Path("mysite/settings.py"), Path("mysite/test_settings.py"), Path("mysite/asgi.py")}
