"""Settings made from the environment. Each case is a process of its own, since settings are read once."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from setup.docs import settings_reference
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


def test_production_without_a_secret_key_refuses_to_start_with_one_line() -> None:
    for command in (["manage.py", "check"], ["-m", "uvicorn", "mysite.asgi:application"]):
        done = run(*command)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "SECRET_KEY is not set" in done.stderr


def test_development_starts_without_a_secret_key() -> None:
    assert run("manage.py", "check", DEBUG="true").returncode == 0


def test_secret_key_is_taken_literally() -> None:
    assert settings_of("SECRET_KEY", SECRET_KEY="$abc#def")["SECRET_KEY"] == "$abc#def"


def test_deployment_check_is_clean_with_a_secret_key_and_a_host() -> None:
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
def test_https_is_required_for_public_hosts_unless_set_otherwise(environment: dict, https: bool) -> None:
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
def test_hsts_lasts_a_day_for_this_host_alone_unless_set_otherwise(environment: dict, hsts: list) -> None:
    assert settings_of(*HSTS, **environment) == dict(zip(HSTS, hsts, strict=True))


def test_check_and_migrate_fail_in_production_when_any_host_is_allowed(tmp_path: Path) -> None:
    site = {"SECRET_KEY": "key", "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    for command in ["check", "migrate"]:
        done = run("manage.py", command, ALLOWED_HOSTS="chat.example.org,*", **site)
        assert done.returncode == 1
        assert "chat.E002" in done.stderr
        with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as database:
            assert database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    assert run("manage.py", "check", ALLOWED_HOSTS="*", DEBUG="true").returncode == 0
    assert run("manage.py", "migrate", "--no-input", ALLOWED_HOSTS="chat.example.org", **site).returncode == 0


def test_introspection_and_graphiql_are_off_in_production_unless_set() -> None:
    names = ["CHAT_GRAPHIQL", "CHAT_INTROSPECTION"]
    assert settings_of(*names) == dict.fromkeys(names, False)
    assert settings_of(*names, DEBUG="true") == dict.fromkeys(names, True)
    assert settings_of(*names, CHAT_GRAPHIQL="true", CHAT_INTROSPECTION="true") == dict.fromkeys(names, True)


def test_content_security_policy_lists_the_sites_websocket_hosts() -> None:
    def connects(**environment: str) -> list[str]:
        name = "CONTENT_SECURITY_POLICY"
        return settings_of(name, **environment)[name]["DIRECTIVES"]["connect-src"]

    assert connects() == connects(CHAT_HTTPS="true") == ["'self'"]
    sockets = ["'self'", "wss://chat.example.org", "wss://*.example.com"]
    assert connects(ALLOWED_HOSTS="chat.example.org,.example.com,localhost,*") == sockets


def test_redis_and_database_settings_come_from_their_urls() -> None:
    found = settings_of(
        "CHANNEL_LAYERS",
        "DATABASES",
        REDIS_URL="redis://redis.example:6379/1",
        DATABASE_URL="postgres://u:p@db:5433/chat",
    )
    assert found["CHANNEL_LAYERS"]["default"]["CONFIG"]["hosts"][0]["address"] == "redis://redis.example:6379/1"
    database = found["DATABASES"]["default"]
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db", 5433, "chat")


SERVERS = [
    "redis://:se,cret@one:6379/0",
    "rediss://:pw@two:6380/0?ssl_ca_certs=/etc/ca.crt",
    "unix:///run/redis.sock?db=1",
]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (",".join(SERVERS), SERVERS),
        (f" {SERVERS[0]} , {SERVERS[1]},", SERVERS[:2]),
        (SERVERS[2], SERVERS[2:]),
    ],
)
def test_redis_url_names_one_server_or_several(given: str, meant: list[str]) -> None:
    found = settings_of("CHANNEL_LAYERS", "REDIS_URLS", REDIS_URL=given)
    hosts = found["CHANNEL_LAYERS"]["default"]["CONFIG"]["hosts"]
    assert [host["address"] for host in hosts] == found["REDIS_URLS"] == meant
    assert {host["socket_timeout"] for host in hosts} == {2}


def test_database_url_options_are_kept_with_a_connection_pool() -> None:
    url = "postgres://u:p@db/chat?sslmode=verify-full&connect_timeout=9"
    found = settings_of("DATABASES", DATABASE_URL=url, CHAT_DATABASE_CONNECTIONS="3")
    options = found["DATABASES"]["default"]["OPTIONS"]
    assert (options["sslmode"], options["connect_timeout"], options["pool"]["max_size"]) == ("verify-full", 9, 2)


@pytest.mark.parametrize(("connections", "lanes"), [(2, 1), (3, 1), (4, 2), (6, 3), (8, 4), (50, 4)])
def test_database_connections_are_lanes_and_a_pool_for_pages(connections: int, lanes: int) -> None:
    found = settings_of(
        "DATABASES",
        "CHAT_DATABASE_LANES",
        DATABASE_URL="postgres://u@db/chat",
        CHAT_DATABASE_CONNECTIONS=str(connections),
    )
    pool = found["DATABASES"]["default"]["OPTIONS"]["pool"]["max_size"]
    assert (found["CHAT_DATABASE_LANES"], pool) == (lanes, connections - lanes)


def test_timeouts_of_lanes_stand_behind_those_of_database_url() -> None:
    url = "postgres://u@db/chat?options=-c%20statement_timeout%3D900"
    found = settings_of("DATABASES", "CHAT_LANE_OPTIONS", DATABASE_URL=url)
    assert found["CHAT_LANE_OPTIONS"]["options"].endswith(" -c statement_timeout=900")
    assert "statement_timeout=4000" not in found["DATABASES"]["default"]["OPTIONS"]["options"]


ENCODED = "with special characters of the password percent-encoded"
DATABASE_URL_REFUSED = (
    f"DATABASE_URL can't be understood. It has to be of the form postgres://user:password@host:5432/name, {ENCODED}: "
    "@ is %40, / is %2F, # is %23, ? is %3F, % is %25."
)
REDIS_URL_REFUSED = f"REDIS_URL can't be understood. It has to be of the form redis://:password@host:6379/0, {ENCODED}."
EMAIL_URL_REFUSED = (
    f"EMAIL_URL can't be understood. It has to be of the form smtp+tls://user:password@mail.example.org:587, {ENCODED}."
)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CHAT_MESSAGE_MAX", "4k", "CHAT_MESSAGE_MAX is '4k'. It has to be a whole number."),
        ("CHAT_MESSAGE_MAX", "0", "CHAT_MESSAGE_MAX is '0'. It has to be 1 or more."),
        ("CHAT_FRAME_MAX", "-1", "CHAT_FRAME_MAX is '-1'. It has to be 1 or more."),
        ("CHAT_DATABASE_CONNECTIONS", "1", "CHAT_DATABASE_CONNECTIONS is '1'. It has to be 2 or more."),
        ("CHAT_SESSION_CHECK", "0", "CHAT_SESSION_CHECK is '0'. It has to be 0.1 seconds or more."),
        ("CHAT_DRAIN_SECONDS", "nan", "CHAT_DRAIN_SECONDS is 'nan'. It has to be 0 seconds or more."),
        ("CHAT_DRAIN_SECONDS", "ten", "CHAT_DRAIN_SECONDS is 'ten'. It has to be a number of seconds."),
        ("CHAT_GUESTS", "ture", "CHAT_GUESTS is 'ture'. It has to be true or false."),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL is 'LOUD'. It has to be DEBUG or INFO or WARNING or ERROR or CRITICAL."),
        ("CHAT_LOG_FORMAT", "xml", "CHAT_LOG_FORMAT is 'xml'. It has to be text or json."),
        (
            "CHAT_METRICS_ALLOW",
            "127.0.0.1,10.0.0.1/8",
            "CHAT_METRICS_ALLOW is '10.0.0.1/8'. It has to be addresses, and networks like 10.0.0.0/8.",
        ),
        (
            "REDIS_URL",
            "127.0.0.1:6379",
            "REDIS_URL can't be understood. It has to begin with redis:// or rediss:// or unix://.",
        ),
        (
            "REDIS_URL",
            "redis://one:6379,mysql://:secret@two/0",
            "REDIS_URL can't be understood. Address 2 of 2 has to begin with redis:// or rediss:// or unix://.",
        ),
        (
            "REDIS_URL",
            "redis://one:6379,two:6379",
            "REDIS_URL can't be understood. It has to be one address: each of several begins with its scheme, "
            "and a comma within one is written %2C.",
        ),
        (
            "REDIS_URL",
            "redis://one,redis://:sec/ret@two:6379/0",
            "REDIS_URL can't be understood. Address 2 of 2 has to be of the form redis://:password@host:6379/0, "
            "with special characters of the password percent-encoded.",
        ),
        (
            "REDIS_URL",
            "redis://one,unix://,redis://two",
            "REDIS_URL can't be understood. Address 2 of 3 has to be of the form unix:///path/to/socket.",
        ),
        (
            "REDIS_URL",
            "redis://one,redis://two,redis://one",
            "REDIS_URL can't be understood. Address 3 of 3 has to differ from the ones before it.",
        ),
        (
            "CHAT_PASSWORDS",
            "false",
            "CHAT_PASSWORDS is off, so set CHAT_OIDC_ISSUER or CHAT_LOGIN_LINKS: nobody could log in.",
        ),
        (
            "CHAT_OIDC_ISSUER",
            "https://login.example.org",
            "CHAT_OIDC_ISSUER needs CHAT_OIDC_CLIENT_ID: by that name the provider knows this site.",
        ),
        (
            "CHAT_OIDC_ISSUER",
            "http://login.example.org",
            "CHAT_OIDC_ISSUER is 'http://login.example.org'. "
            "It has to be of the form https://login.example.org/realms/chat",
        ),
        (
            "DATABASE_URL",
            "mysql://chat:secret@host/chat",
            "DATABASE_URL can't be understood. It has to begin with sqlite:// or postgres:// or postgresql://.",
        ),
        *(
            ("DATABASE_URL", f"postgres://chat:{password}@host/chat", DATABASE_URL_REFUSED)
            for password in ("sec/ret", "sec?ret", "12/ret")
        ),
        *(("REDIS_URL", f"redis://:{password}@host/0", REDIS_URL_REFUSED) for password in ("sec/ret", "12/ret")),
        *(
            ("EMAIL_URL", url, EMAIL_URL_REFUSED)
            for url in ("foo", "smtp://chat:sec/ret@host:25", "smtp://chat:12/ret@host:25", "mysql://host")
        ),
    ],
)
def test_a_variable_that_makes_no_sense_is_refused_in_one_line_that_names_it(name: str, value: str, said: str) -> None:
    database = {"DATABASE_URL": "postgres:///chat"} if name == "CHAT_DATABASE_CONNECTIONS" else {}
    done = run("manage.py", "check", **{"SECRET_KEY": "key", **database, name: value})
    assert (done.returncode, done.stderr.strip()) == (1, said)


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("CHAT_GUESTS", "Off", False),
        ("CHAT_GUESTS", "yes", True),
        ("CHAT_GUESTS", "", True),
        ("CHAT_MESSAGE_MAX", "", 4000),
        ("CHAT_BODY_MAX", " 70000 ", 70_000),
        ("CHAT_RECOVERY_MAX", "0", 0),
        ("CHAT_DRAIN_SECONDS", "2.5", 2.5),
        ("CHAT_METRICS_ALLOW", "::1,10.0.0.0/8", ["::1", "10.0.0.0/8"]),
        ("LOG_LEVEL", "", "INFO"),
    ],
)
def test_a_variable_is_understood_as_it_is_meant(name: str, value: str, meant: object) -> None:
    assert settings_of(name, **{name: value}) == {name: meant}


def test_env_example_explains_the_variables_that_are_read_with_their_defaults() -> None:
    explained = [*settings_reference.groups((ROOT / ".env.example").read_text())]
    assert settings_reference.problems(explained) == []
    assert {"DATABASE_URL", "CHAT_MESSAGE_MAX"} <= {name for group in explained for name in group.defaults}


def test_env_example_that_sets_a_variable_is_refused() -> None:
    with pytest.raises(ValueError, match="DEBUG=true"):
        [*settings_reference.groups("# --- The site ---\n\n# Whether errors are shown.\nDEBUG=true\n")]


@pytest.mark.parametrize(
    ("example", "problem"),
    [
        ("#CHAT_GUESTS=false", "CHAT_GUESTS is 'true' by default, and 'false' in .env.example"),
        ("#CHAT_GUEST=true", "CHAT_GUEST is in .env.example, and nothing reads it"),
        ("#PORT=8000", "CHAT_GUESTS is read by the code, and .env.example doesn't explain it"),
    ],
)
def test_env_example_that_differs_from_the_code_is_noticed(example: str, problem: str) -> None:
    groups = settings_reference.groups(f"# --- The site ---\n\n# A variable.\n{example}\n")
    assert problem in settings_reference.problems([*groups])


def test_environment_is_read_by_settings_and_asgi_only() -> None:
    places = [path for app in ("chat", "gqlchat", "mysite") for path in (ROOT / app).rglob("*.py")]
    readers = {
        path.relative_to(ROOT) for path in places if re.search(r"environ[\[.]|getenv|\bEnvironment\b", path.read_text())
    }
    assert readers == {
        Path("mysite/environment.py"),
        Path("mysite/databases.py"),
        Path("mysite/files.py"),
        Path("mysite/tracing.py"),  # what OpenTelemetry reads by itself
        Path("mysite/logins.py"),
        Path("mysite/notifications.py"),
        Path("mysite/setting_up.py"),  # before there are settings
        Path("mysite/settings.py"),
        Path("mysite/test_settings.py"),
        Path("mysite/asgi.py"),
    }
