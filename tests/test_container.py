"""The Containerfile and compose.yaml, by parsers. `make container-check` runs the steps."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from io import BytesIO
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml
from dockerfile_parse import DockerfileParser

from tests.container.ignored import context_files
from tests.servers import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
VARIABLE = re.compile(r"\$\{(\w+)(?::[?-][^}]*)?\}")


def instructions() -> list[tuple[str, str]]:
    parser = DockerfileParser(fileobj=BytesIO((ROOT / "Containerfile").read_bytes()))
    return [(one["instruction"], one["value"]) for one in parser.structure if one["instruction"] != "COMMENT"]


def texts(value: Any) -> Iterator[str]:
    """All texts in a part of compose.yaml."""
    if isinstance(value, dict):
        value = value.values()
    if isinstance(value, str):
        yield value
    elif not isinstance(value, (int, float, bool, type(None))):
        for one in value:
            yield from texts(one)


def test_hadolint_accepts_the_containerfile() -> None:
    # Debian's packages are those of its stable release, and aren't pinned beyond it.
    hadolint = shutil.which("hadolint")
    assert hadolint
    done = subprocess.run([hadolint, "--ignore", "DL3008", "Containerfile"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_image_runs_the_command_of_the_procfile_as_no_root_and_gets_signals_itself() -> None:
    last = dict(instructions())  # of the last stage, each one's last value
    assert last["USER"] == "10001:10001"
    assert last["CMD"] == r"""["/bin/sh", "-c", "eval \"exec $(sed -n 's/^web: *//p' Procfile)\""]"""
    assert "/livez" in last["HEALTHCHECK"]
    assert last["VOLUME"] == '["/srv/chat/var"]'
    # A folder that COPY finds there keeps its owner, whatever --chown says.
    assert last["RUN"] == "install --directory --owner chat --group chat --mode 700 var"
    assert not any("--chown" in value for instruction, value in instructions() if instruction == "COPY")


def test_images_are_named_with_their_registry_as_podman_asks_it() -> None:
    bases = [value for instruction, value in instructions() if instruction == "FROM"]
    others = [service["image"] for service in SERVICES.values() if "build" not in service]
    assert all(name.startswith("docker.io/") for name in bases + others)


def test_image_is_made_from_what_the_site_runs_on_and_has_no_secret_and_no_data() -> None:
    files = {str(path) for path in context_files()}
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert files <= {*listed.splitlines()} | {str(path) for path in new_files()}
    assert {"manage.py", "Procfile", "requirements.txt", "mysite/asgi.py", "locale/de/LC_MESSAGES/django.mo"} <= files
    assert not any(path.startswith(("tests/", "var/", ".env", ".git/", "docs/", "benchmarks/")) for path in files)


def new_files() -> list[str]:
    """Those that nobody has added to git yet, and that it doesn't ignore."""
    command = ["git", "ls-files", "--others", "--exclude-standard"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def test_compose_names_only_what_it_has() -> None:
    for name, service in SERVICES.items():
        for other, wanted in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            if wanted["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], other
        volumes = [volume.split(":")[0] for volume in service.get("volumes", [])]
        for volume in volumes:
            # A file that git replaces stays in a container as it was; one in a folder doesn't.
            assert (ROOT / volume).is_dir() if volume.startswith(".") else volume in COMPOSE["volumes"]
        assert {*service["networks"]} <= {*COMPOSE["networks"]}
        assert service["restart"] == ("no" if name == "release" else "unless-stopped")


def test_compose_opens_only_the_ports_of_caddy_whose_headers_alone_are_trusted() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"caddy"}
    assert {name for name, service in SERVICES.items() if "front" in service["networks"]} == {
        "caddy",
        "site",
        "release",
    }
    assert COMPOSE["networks"]["back"] == {"internal": True}
    address = SERVICES["caddy"]["networks"]["front"]["ipv4_address"]
    (config,) = COMPOSE["networks"]["front"]["ipam"]["config"]
    assert IPv4Address(address) in IPv4Network(config["subnet"])
    assert IPv4Network(config["ip_range"]).subnet_of(IPv4Network(config["subnet"]))
    assert IPv4Address(address) not in IPv4Network(config["ip_range"])  # or one that starts before it may be given it
    assert SERVICES["site"]["environment"]["FORWARDED_ALLOW_IPS"] == address
    assert SERVICES["caddy"]["environment"]["SITE_ADDRESS"] == f"site:{SERVICES['site']['environment']['PORT']}"


def test_variables_of_compose_and_caddyfile_are_explained() -> None:
    explained = {*re.findall(r"^#?(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)}
    asked = {name for text in texts(COMPOSE) for name in VARIABLE.findall(text)}
    assert asked == {"SITE_DOMAIN", "POSTGRES_PASSWORD"}
    assert asked | {*SERVICES["site"]["environment"]} <= explained
    in_caddyfile = {*re.findall(r"\{\$(\w+)", (ROOT / "deploy" / "Caddyfile").read_text())}
    assert in_caddyfile == {*SERVICES["caddy"]["environment"]}


def test_database_programs_of_the_image_are_as_new_as_the_database() -> None:
    major = re.fullmatch(r"docker.io/library/postgres:(\d+)-alpine", SERVICES["database"]["image"])
    assert major
    assert f"postgresql-client-{major[1]}" in (ROOT / "Containerfile").read_text()


def test_health_checks_have_no_blanks_in_arguments_as_podman_takes_them_apart() -> None:
    tests = [service["healthcheck"]["test"] for service in SERVICES.values() if "healthcheck" in service]
    assert all(test[0] == "CMD-SHELL" or not any(" " in word for word in test) for test in tests)


def test_new_release_replaces_the_site_and_not_caddy_in_front_of_it() -> None:
    assert "depends_on" not in SERVICES["caddy"]


@pytest.fixture
def up(tmp_path: Path) -> Callable[..., tuple[int, list[str]]]:
    """`deploy/up.sh`, with a program in the place of the engine that writes down what it is asked to do."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "up.sh", tmp_path / "deploy")
    (tmp_path / "sleep").write_text("#!/bin/sh\n")
    engine = tmp_path / "engine"
    engine.write_text(f'#!/bin/sh\necho "$@" >>"{tmp_path}/asked"\ncase "$*" in *"$FAILING"*) exit 1 ;; esac\n')
    for program in (engine, tmp_path / "sleep"):
        program.chmod(0o755)

    def run(*, failing: str = "nothing") -> tuple[int, list[str]]:
        (tmp_path / "asked").write_text("")
        environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "ENGINE": str(engine)}
        environment |= {"CHAT_SETUP_PASSWORD": "two words", "FAILING": failing}
        command = ["sh", tmp_path / "deploy" / "up.sh", "--no-input"]
        code = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL).returncode
        return code, (tmp_path / "asked").read_text().splitlines()

    return run


BUILD = "build --file Containerfile --tag chat ."
RELEASE = "compose run --rm -T release"
START = "compose up --detach --no-deps database valkey site caddy"
READY = "compose exec -T site python -c import urllib.request; "
READY += 'urllib.request.urlopen("http://127.0.0.1:8000/readyz", timeout=9)'
RELOAD = "compose exec -T caddy caddy reload --config /etc/caddy/Caddyfile"
ACCOUNT = "compose exec -T --env CHAT_SETUP_PASSWORD=two words site python manage.py setup --account --no-input"


def test_up_sets_the_site_up_once_then_starts_it_and_makes_the_first_account(
    up: Callable[..., tuple[int, list[str]]], tmp_path: Path
) -> None:
    setup = (
        f"run --rm --interactive --user root --network none --volume {tmp_path}:/srv/host:z chat "
        "python manage.py setup --compose /srv/host/.env --no-input"
    )
    assert up() == (0, [BUILD, setup, RELEASE, START, READY, RELOAD, ACCOUNT])
    (tmp_path / ".env").write_text("SITE_DOMAIN=chat.example.org\n")
    assert up() == (0, [BUILD, RELEASE, START, READY, RELOAD, ACCOUNT])


def test_up_leaves_the_running_site_alone_where_the_release_step_fails(
    up: Callable[..., tuple[int, list[str]]], tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("SITE_DOMAIN=chat.example.org\n")
    assert up(failing=RELEASE) == (1, [BUILD, RELEASE])


def test_up_shows_the_log_of_a_site_that_does_not_get_ready(
    up: Callable[..., tuple[int, list[str]]], tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("SITE_DOMAIN=chat.example.org\n")
    code, asked = up(failing="readyz")
    assert (code, asked[:4], asked[-1]) == (1, [BUILD, RELEASE, START, READY], "compose logs --tail 20 site")
