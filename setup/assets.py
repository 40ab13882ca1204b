"""Make the files of the pages complete: `make assets`, or `python -m setup.assets` where there is no make.

The names of emoji come by `npm pack`, which fetches just the package that holds them; the hash of each file is pinned.
GraphiQL's bundle is in the repository, and is compressed here. Nothing of Django is needed, so that an image can be
built before there is a SECRET_KEY.
"""

import gzip
import os
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from chat.assets import EMOJI, STATIC_DIR, Asset
from setup.node import IN_VENV, InstallError, provide, run

BUNDLE = STATIC_DIR / "graphiql" / "bundle"
COMPRESSED = ("*.js", "*.css")


def install(assets: list[Asset]) -> None:
    """Fetch the packages of `assets` and put their files in place."""
    packages = sorted({f"{asset.package}@{asset.version}" for asset in assets})
    print("Installing files for the pages")
    with TemporaryDirectory() as folder:
        scratch = Path(folder)
        npm = provide(IN_VENV if IN_VENV.exists() else scratch / "node")  # the site itself needs it just this once
        run(str(npm), "pack", "--ignore-scripts", *packages, cwd=scratch, path=npm.parent)
        for asset in assets:
            place(asset, scratch / f"{asset.package.lstrip('@').replace('/', '-')}-{asset.version}.tgz")
    for package in packages:
        print(f"  {package}")


def place(asset: Asset, archive: Path) -> None:
    """Copy one file out of its package: whole and checked, or not at all."""
    with tarfile.open(archive) as package:
        source = package.extractfile(f"package/{asset.path}")
        content = source.read() if source else b""
    if not asset.matches(content):
        raise InstallError(f"{asset.path} of {asset.package} {asset.version} is not the file that was pinned")
    asset.file.parent.mkdir(parents=True, exist_ok=True)
    write(asset.file, content)


def compress(folder: Path) -> None:
    """Put `x.js.gz` beside each `x.js` of some size: servestatic sends it to browsers, which all take it."""
    for file in (file for pattern in COMPRESSED for file in folder.glob(pattern)):
        packed = file.with_name(f"{file.name}.gz")
        if not packed.exists() or packed.stat().st_mtime < file.stat().st_mtime:
            write(packed, gzip.compress(file.read_bytes(), mtime=0))


def write(file: Path, content: bytes) -> None:
    """Write a file that another process may be reading, or writing as well."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(file)


if __name__ == "__main__":
    compress(BUNDLE)
    if wanted := [asset for asset in EMOJI.values() if not asset.is_installed]:
        try:
            install(wanted)
        except InstallError as error:
            sys.exit(f"Files for the pages could not be installed: {error}")
