"""Images without a container engine: folders in which the steps of the Containerfile run, by chroot."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from dockerfile_parse import DockerfileParser

from tests.container.ignored import context_files
from tests.servers import ROOT

SUITES = {"docker.io/library/debian:trixie-slim": "trixie"}
PLAIN = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
# Files that this machine needs to reach its package registries; it stays out of the image.
PASSED_ON = ("PIP_", "NPM_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")  # of this machine, whose registries may have one of their own
COPIED = "/run/certificates-for-registries.crt"
TRUST = dict.fromkeys(("PIP_CERT", "NODE_EXTRA_CA_CERTS"), COPIED)


@dataclass
class Image:
    """The things that a stage of the Containerfile has made so far."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: dict(PLAIN))
    folder: str = "/"
    user: str = "root"
    command: str = ""
    health: str = ""

    def path(self, path: str) -> Path:
        """Where the image's file is on this machine."""
        return self.root / os.path.normpath(os.path.join(self.folder, path)).lstrip("/")

    def as_command(self, command: list[str], more: Mapping[str, str] | None = None) -> list[str]:
        """For this machine: `command` in the image, by its user, with mounts and processes of its own."""
        variables = [f"{name}={value}" for name, value in (self.environment | dict(more or {})).items()]
        inner = ["chroot", f"--userspec={self.user}", str(self.root), "env", "-i", f"--chdir={self.folder}", *variables]
        mounts = f"mount -t proc proc {self.root}/proc && mount --rbind /dev {self.root}/dev"
        script = f"{mounts} && exec {shlex.join([*inner, *command])}"
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script]

    def run(self, command: str) -> None:
        more = {name: value for name, value in os.environ.items() if name.upper().startswith(PASSED_ON)}
        subprocess.run(self.as_command(["/bin/sh", "-c", command], more | TRUST), check=True)


def build(place: Path) -> Image:
    """Runs all steps; returns the last stage. Raises CalledProcessError where one fails."""
    parser = DockerfileParser(fileobj=BytesIO((ROOT / "Containerfile").read_bytes()))
    images: dict[str, Image] = {}
    image = None
    for number, step in enumerate(one for one in parser.structure if one["instruction"] != "COMMENT"):
        instruction, value = step["instruction"], step["value"]
        print(f"{instruction} {value}", flush=True)
        if instruction == "FROM":
            base, _as, name = (*value.split(), "", "")[:3]
            image = images[name] = Image(_debian(place / f"stage-{number}", SUITES[base]))
            continue
        assert image is not None
        _step(image, instruction, value, images)
    assert image is not None
    return image


def _step(image: Image, instruction: str, value: str, images: Mapping[str, Image]) -> None:
    match instruction:
        case "RUN":
            image.run(value)
        case "COPY":
            _copy(image, shlex.split(value), images)
        case "WORKDIR":
            image.folder = value
            image.path(".").mkdir(parents=True, exist_ok=True)
        case "ENV":
            image.environment |= dict(one.split("=", 1) for one in shlex.split(value))
        case "USER":
            image.user = value
        case "CMD":
            image.command = value
        case "HEALTHCHECK":
            image.health = value.partition("CMD ")[2]
        case "VOLUME" | "EXPOSE" | "STOPSIGNAL":
            pass  # for an engine
        case _:
            raise NotImplementedError(instruction)


def _copy(image: Image, words: list[str], images: Mapping[str, Image]) -> None:
    options = dict(word[2:].split("=", 1) for word in words if word.startswith("--"))
    if options.keys() - {"from"}:
        raise NotImplementedError(options)  # engines differ on the owner of a folder that is there already
    *sources, target = (word for word in words if not word.startswith("--"))
    if "from" in options:
        for source in sources:
            origin = images[options["from"]].path(source)
            place = image.path(target) / origin.name if target.endswith("/") else image.path(target)
            # As an engine does, the contents of a folder are added to those that are there.
            subprocess.run(["cp", "-a", "-T", origin, place], check=True)
    else:
        for path in context_files():
            if sources == ["."] or str(path) in sources:
                (image.path(target) / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / path, image.path(target) / path)


def _debian(root: Path, suite: str) -> Path:
    """A new Debian, as small as that of the image, which reaches registries as this machine does."""
    subprocess.run(["debootstrap", "--variant=minbase", suite, root], check=True, stdout=subprocess.DEVNULL)
    shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")
    shutil.copy("/etc/hosts", root / "etc" / "hosts")
    shutil.copy(CERTIFICATES, root / COPIED.lstrip("/"))
    for name in ("pip.conf", "npmrc"):
        if (own := Path("/etc") / name).exists():
            shutil.copy(own, root / "etc" / name)
    return root
