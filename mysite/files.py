"""The storage for files that people attach to messages, by variables of the environment."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mysite.environment import Environment

SIGNED_FOR = 60  # seconds that a signed address of S3 holds: until a browser has begun to fetch it


@dataclass(frozen=True)
class FilesSettings:
    """An entry of STORAGES, and the origin from which browsers then load files; None if that is the site itself."""

    storage: dict[str, Any]
    origin: str | None = None


def files_accel(env: Environment) -> str:
    """The location of nginx that has the folder: CHAT_FILES_ACCEL. Empty if the site sends files itself."""
    given = str(env.str("CHAT_FILES_ACCEL", default="")).strip()
    if given and not re.fullmatch(r"/([\w.~-]+/)+", given):
        raise SystemExit(f"CHAT_FILES_ACCEL is {given!r}. It has to begin and to end with a slash, like /_files/")
    return given


def files_settings(env: Environment, folder: Path) -> FilesSettings:
    """By the variables CHAT_FILES_S3_…, or else in `folder`."""
    bucket = env.str("CHAT_FILES_S3_BUCKET", default="").strip()
    endpoint = env.url("CHAT_FILES_S3_ENDPOINT", default="", schemes=["http", "https"])
    region = env.str("CHAT_FILES_S3_REGION", default="").strip()
    key, secret = env.secret("CHAT_FILES_S3_KEY").strip(), env.secret("CHAT_FILES_S3_SECRET").strip()
    if not bucket:
        for name, given in {"ENDPOINT": endpoint, "REGION": region, "KEY": key, "SECRET": secret}.items():
            if given:
                raise SystemExit(f"CHAT_FILES_S3_{name} needs CHAT_FILES_S3_BUCKET: without it, files are in a folder.")
        permissions = {"file_permissions_mode": 0o640, "directory_permissions_mode": 0o750}
        options = {"location": folder, **permissions}
        return FilesSettings({"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options})
    if bool(key) != bool(secret):
        has, lacks = ("KEY", "SECRET") if key else ("SECRET", "KEY")
        raise SystemExit(f"CHAT_FILES_S3_{has} needs CHAT_FILES_S3_{lacks}: they are two parts of one key.")
    options = {
        "bucket_name": bucket,
        "endpoint_url": endpoint or None,
        "region_name": region or None,
        "access_key": key or None,
        "secret_key": secret or None,
        "signature_version": "s3v4",
        "addressing_style": "path" if endpoint else "virtual",
        "default_acl": None,
        "querystring_expire": SIGNED_FOR,
        "file_overwrite": True,  # without a question before each file: names are random
        "max_memory_size": 1_000_000,
    }
    parts = urlsplit(endpoint)
    amazon = f"https://{bucket}.s3.{f'{region}.' if region else ''}amazonaws.com"
    origin = f"{parts.scheme}://{parts.netloc}" if endpoint else amazon
    return FilesSettings({"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}, origin)
