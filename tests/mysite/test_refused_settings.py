"""Every variable of the reference, with values that make no sense."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from unittest import mock

import environ
import pytest

from setup.docs.settings_reference import SERVERS
from setup.docs.variables import variables
from tests.servers import ROOT

SWITCHES = [name for name, variable in variables().items() if variable.form == "`true` or `false`"]
NUMBERS = [name for name, variable in variables().items() if variable.form.startswith("a whole number")]
SECONDS = [name for name, variable in variables().items() if variable.form.startswith("a number")]
RATES = [name for name, variable in variables().items() if variable.form == "a rate"]
POSTGRESQL = {"DATABASE_URL": "postgres:///chat"}
BUCKET = {"CHAT_FILES_S3_BUCKET": "files"}
ISSUER = {"CHAT_OIDC_ISSUER": "https://login.example.org", "CHAT_OIDC_CLIENT_ID": "chat"}

# Any text is a name, a secret or a path; or it is the server's or the engine's own to refuse.
ANYTHING = {
    "SECRET_KEY",
    "CHAT_PG_BIN",
    "CHAT_VALKEY_DIR",
    "CHAT_FILES_DIR",
    "CHAT_FILES_S3_BUCKET",
    "CHAT_OIDC_CLIENT_ID",
    "CHAT_OIDC_CLIENT_SECRET",
    "CHAT_OIDC_NAME",
    "CHAT_OIDC_STAFF_GROUP",
} | {variable.name for variable in SERVERS}

REFUSED: list[tuple[str, str, str, dict[str, str]]] = [
    *((name, "ture", "It has to be true or false.", {}) for name in SWITCHES),
    *((name, "4k", "It has to be a whole number.", {}) for name in NUMBERS),
    *((name, "-1", "or more.", {}) for name in NUMBERS),
    *((name, "9" * 20, "or less.", {}) for name in NUMBERS),
    *((name, "ten", "It has to be a number of seconds.", {}) for name in SECONDS),
    *((name, "nan", "seconds or more.", {}) for name in SECONDS),
    *((name, "1e300", "or less.", {}) for name in SECONDS),
    *(
        (name, text, "It has to be of the form 20/10s, 100/m or 1000/h.", {})
        for name in RATES
        for text in ("20/10x", "20", "0/s", "20 a minute", f"1/{'9' * 400}h")
    ),
    ("CHAT_FILE_SIZE", "2147483648", "It has to be 2147483647 or less.", {}),
    ("WEB_CONCURRENCY", "0", "It has to be 1 or more.", {}),
    ("PORT", "65536", "It has to be 65535 or less.", {}),
    ("CHAT_DATABASE_CONNECTIONS", "1", "It has to be 2 or more.", POSTGRESQL),
    ("CHAT_REGISTRATION", "invite", "It has to be open or invitation or closed.", {}),
    ("CHAT_LANGUAGE", "fr", "It has to be en or de.", {}),
    ("CHAT_LOG_FORMAT", "xml", "It has to be text or json.", {}),
    ("LOG_LEVEL", "LOUD", "It has to be DEBUG or INFO or WARNING or ERROR or CRITICAL.", {}),
    *(
        ("ALLOWED_HOSTS", text, "It has to be names alone, like chat.example.org", {})
        for text in ("https://chat.example.org", "chat.example.org:8000", "chat.example.org/", "a b", "::1")
    ),
    *(
        ("CSRF_TRUSTED_ORIGINS", text, "It has to be origins, like https://chat.example.org:8443", {})
        for text in ("chat.example.org", "https://a/", "ftp://a", "https://a:b", "https://[a", "https://")
    ),
    *(
        ("FORWARDED_ALLOW_IPS", text, "networks like 10.0.0.0/8, or *.", {})
        for text in ("10.0.0.0/99", "10.0.0.1/8", "localhost", "127.0.0.1 ::1")
    ),
    *(
        (name, text, "It has to be addresses, and networks like 10.0.0.0/8.", {})
        for name in ("CHAT_METRICS_ALLOW", "CHAT_OUTGOING_NETWORKS")
        for text in ("10.0.0.0/99", "localhost", "*")
    ),
    *(
        ("CHAT_FILES_ACCEL", text, "It has to begin and to end with a slash, like /_files/", {})
        for text in ("_files", "/_files", "_files/", "/", "https://files/")
    ),
    *(
        (f"CHAT_FILES_S3_{part}", value, "needs CHAT_FILES_S3_BUCKET", {})
        for part, value in {"ENDPOINT": "https://s3", "REGION": "eu", "KEY": "k", "SECRET": "s"}.items()
    ),
    ("CHAT_FILES_S3_ENDPOINT", "s3.example.org", "It has to begin with http:// or https://.", BUCKET),
    ("CHAT_FILES_S3_ENDPOINT", "https://", "It has to be of the form https://host.example.org", BUCKET),
    ("CHAT_FILES_S3_KEY", "key", "needs CHAT_FILES_S3_SECRET", BUCKET),
    ("CHAT_FILES_S3_SECRET", "secret", "needs CHAT_FILES_S3_KEY", BUCKET),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "127.0.0.1:4318", "It has to begin with http:// or https://.", {}),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:x", "It has to be of the form http://", {}),
    ("PROMETHEUS_MULTIPROC_DIR", "/nowhere/at/all", "It has to be a folder that the site can write to.", {}),
    ("DATABASE_URL", "mysql://chat:secret@host/chat", "It has to begin with sqlite:// or postgres://", {}),
    ("REDIS_URL", "127.0.0.1:6379", "It has to begin with redis:// or rediss:// or unix://.", {}),
    *(
        ("EMAIL_URL", text, "It has to be of the form smtp+tls://user:password@mail.example.org:587", {})
        for text in ("foo", "mail.example.org", "https://mail.example.org", "smtp://a:b", "smtp://", "smtp://u:p/w@a")
    ),
    *(("CHAT_EMAIL_FROM", text, "It has to be like Chat <", {}) for text in ("chat", "@", "Chat <chat>")),
    *(
        ("CHAT_SITE_URL", text, "It has to be of the form https://chat.example.org", {})
        for text in ("chat.example.org", "https://", "https://a:b", "https://[a", "https://a/chat", "https://a#b")
    ),
    *(
        ("CHAT_PUSH_CONTACT", text, "It has to be an e-mail address, or begin with https://", {})
        for text in ("ann", "@", "https://", "http://a.example", "mailto:ann")
    ),
    ("CHAT_PASSWORDS", "false", "is off, so set CHAT_OIDC_ISSUER or CHAT_LOGIN_LINKS: nobody could log in.", {}),
    *(
        ("CHAT_OIDC_ISSUER", text, "It has to be of the form https://login.example.org/realms/chat", {})
        for text in ("login.example.org", "http://login.example.org", "https://[a", "https://a?b")
    ),
    ("CHAT_OIDC_ISSUER", "https://login.example.org", "needs CHAT_OIDC_CLIENT_ID", {}),
    ("CHAT_OIDC_SCOPES", "profile", "It has to have openid among them.", ISSUER),
]


def said(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    """The words with which settings made from these variables, and no others, are refused; empty if they aren't."""
    monkeypatch.setattr(environ.Env, "read_env", lambda *arguments, **options: None)
    with mock.patch.dict(os.environ, {"SECRET_KEY": "key", **variables}, clear=True):
        try:
            runpy.run_path(str(ROOT / "mysite" / "settings.py"))
        except SystemExit as refused:
            return str(refused.code)
    return ""


@pytest.mark.parametrize(("name", "value", "why", "others"), REFUSED)
def test_value_that_makes_no_sense_is_refused_in_one_line_that_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, why: str, others: dict[str, str]
) -> None:
    refusal = said(monkeypatch, **{**others, name: value})
    assert (refusal.split()[:1], refusal.count("\n")) == ([name], 0)
    assert why in refusal


def test_every_variable_of_the_reference_is_tried_or_may_be_anything() -> None:
    tried = {name for name, *_ in REFUSED}
    assert (tried | ANYTHING, tried & ANYTHING) == ({*variables()} | ANYTHING, set())


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("CHAT_GUEST", "Is CHAT_GUESTS meant?"),
        ("CHAT_FILE_PER_DAY", "Is CHAT_FILES_PER_DAY meant?"),
        ("CHAT_ALLOWED_HOSTS", "Is ALLOWED_HOSTS meant?"),
        ("CHAT_XYZZY", "docs/settings.md says what there is."),
    ],
)
def test_unknown_variable_of_the_chat_is_refused_with_the_nearest_as_a_hint(
    monkeypatch: pytest.MonkeyPatch, name: str, hint: str
) -> None:
    assert said(monkeypatch, **{name: "false"}) == f"{name} is no setting. {hint}"
    assert said(monkeypatch, **{name: ""}) == ""


def test_variables_that_are_for_others_are_let_be(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = dict.fromkeys(["CHAT_URL", "CHAT_TOKEN", "CHAT_ROOM", "CHAT_POSITION", "CHAT_WEBHOOK_SECRET"], "x")
    kubernetes = dict.fromkeys(["CHAT_SERVICE_HOST", "CHAT_PORT_80_TCP_ADDR", "CHAT_WEB_SERVICE_PORT"], "x")
    ours = {"CHAT_SETUP_PASSWORD": "x", "CHAT_TEST_RUN": "1"}
    assert said(monkeypatch, **examples, **kubernetes, **ours) == ""


def test_values_that_make_sense_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    sensible = {
        "ALLOWED_HOSTS": " chat.example.org, .example.com,localhost,[::1],*",
        "CSRF_TRUSTED_ORIGINS": "https://chat.example.org:8443, https://*.example.org,http://[::1]:8000",
        "FORWARDED_ALLOW_IPS": "*",
        "CHAT_FILES_ACCEL": "/_files/",
        "CHAT_FILE_SIZE": "2147483647",
        "CHAT_RATE_PERSON": "1000/2h",
        "CHAT_EMAIL_FROM": "The chat <chat@example.org>",
        "CHAT_PUSH_CONTACT": "ann@example.org",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318",
        "EMAIL_URL": "consolemail://",
        **BUCKET,
        "CHAT_FILES_S3_ENDPOINT": "http://127.0.0.1:9000",
        "CHAT_FILES_S3_KEY": "key",
        "CHAT_FILES_S3_SECRET": "$secret",
    }
    assert said(monkeypatch, **sensible) == ""


@pytest.mark.parametrize("bad", ["CHAT_RATE_TOKEN=20/10x", "CHAT_GUEST=false", "FORWARDED_ALLOW_IPS=localhost"])
def test_check_setup_and_server_refuse_a_value_by_the_same_line(tmp_path: Path, bad: str) -> None:
    clean = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    name, _, value = bad.partition("=")
    variables = {**clean, "SECRET_KEY": "key", "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3", name: value}
    commands = [
        ["manage.py", "check"],
        ["manage.py", "setup", "--no-input", "--env-file", str(tmp_path / ".env")],
        ["-m", "uvicorn", "mysite.asgi:application", "--port", "0"],
        ["-m", "daphne", "-p", "0", "mysite.asgi:application"],
    ]
    lines = set()
    for command in commands:
        done = subprocess.run([sys.executable, *command], cwd=ROOT, env=variables, capture_output=True, text=True)
        assert done.returncode == 1
        lines.add(done.stderr.splitlines()[-1])  # Daphne logs before it
    assert len(lines) == 1
    assert lines.pop().startswith(f"{name} is ")
    assert not (tmp_path / ".env").exists()
