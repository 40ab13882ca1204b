"""Install GraphiQL's files and the names of emoji into static/vendor: `make assets`, or `python -m setup.assets` where
there is no make.

`npm pack` fetches just the packages that hold the files; `npm install` would add some two hundred more, whose code is
in those files already. The hash of each file that we serve is pinned. Nothing of Django is needed here, so that
an image can be built before there is a SECRET_KEY.
"""

import os
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from chat.assets import EMOJI, Asset
from gqlchat.assets import ASSETS
from setup.node import IN_VENV, InstallError, provide, run


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
    partial = asset.file.with_name(f".{asset.file.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(asset.file)


if __name__ == "__main__":
    if wanted := [asset for asset in (*EMOJI.values(), *ASSETS) if not asset.is_installed]:
        try:
            install(wanted)
        except InstallError as error:
            sys.exit(f"Files for the pages could not be installed: {error}")
