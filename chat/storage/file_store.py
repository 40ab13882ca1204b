"""The bytes of attachments, in Django's storage "chat_files": a folder, or S3.

Synchronous, and as slow as the network: from the event loop, one goes through a thread, and never through the lanes
of the database.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files import File
from django.core.files.storage import Storage, storages

ALIAS = "chat_files"
ABANDONED_AFTER = 86_400.0  # seconds since an upload to this machine got its last byte
INCOMING = "incoming-"  # begins the names of files that are being uploaded to this machine


class LocalFile(File):  # type: ignore[type-arg]
    """A file at a path, which a storage on the same file system may move into its place."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.open("rb"), name=path.name)
        self._path = path

    def temporary_file_path(self) -> str:
        return str(self._path)


def storage() -> Storage:
    return storages[ALIAS]


def name_of(id: UUID, *, preview: bool = False) -> str:
    """The name under which the storage has a file; not more than some hundreds of files are in a folder of 100,000."""
    return f"{id.hex[:2]}/{id.hex}{'.preview' if preview else ''}"


def incoming_folder() -> Path:
    """The folder for files that are being uploaded: on the file system of the others, which are in it too."""
    folder = Path(settings.CHAT_FILES_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def new_incoming() -> IO[bytes]:
    """A new file on this machine for an upload, with a `name`, open for writing."""
    return tempfile.NamedTemporaryFile(prefix=INCOMING, dir=incoming_folder(), delete=False)


def copy_incoming(source: Path) -> Path:
    """A copy of the file at `source`, as if it were being uploaded. Raises OSError."""
    with new_incoming() as copy:
        path = Path(copy.name)
        try:
            with source.open("rb") as content:
                shutil.copyfileobj(content, copy)
        except OSError:
            path.unlink()
            raise
    return path


def save(path: Path, id: UUID, *, preview: bool = False) -> None:
    """Moves the file at `path` into the storage. Raises OSError."""
    with LocalFile(path) as file, outages_as_os_errors():
        name = storage().save(name_of(id, preview=preview), file)
    path.unlink(missing_ok=True)  # a folder has moved it
    if name != name_of(id, preview=preview):  # a storage takes another name if there is such a file
        raise FileExistsError(name)


def save_upload(path: Path, preview: bytes | None, id: UUID) -> None:
    """Moves the file at `path` into the storage, and its preview, if it has one. Raises OSError."""
    save(path, id)
    if preview is not None:
        path.write_bytes(preview)
        save(path, id, preview=True)


def read(id: UUID) -> bytes:
    """All bytes of a small file. Raises OSError."""
    with outages_as_os_errors(), storage().open(name_of(id)) as file:
        content: bytes = file.read()
        return content


def delete(id: UUID) -> None:
    """Deletes all bytes of the file, if they are there. Raises OSError."""
    for preview in (False, True):
        with suppress(FileNotFoundError), outages_as_os_errors():
            storage().delete(name_of(id, preview=preview))


@contextmanager
def outages_as_os_errors() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise OSError(str(error)) from error


def delete_abandoned() -> None:
    """Deletes what a process that died has left on this machine of uploads."""
    before = time.time() - ABANDONED_AFTER
    for path in incoming_folder().glob(f"{INCOMING}*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()


def open(id: UUID, *, preview: bool = False) -> tuple[IO[bytes], int]:
    """The file, open for reading, and its size in bytes. Raises OSError."""
    with outages_as_os_errors():
        file = storage().open(name_of(id, preview=preview), "rb")
        return file, file.size


def gives_addresses() -> bool:
    """Whether files are at S3, which gives them to everybody who has a signed address."""
    return hasattr(storage(), "bucket_name")


def signed_address(id: UUID, *, preview: bool, type: str, disposition: str) -> str:
    """An address at S3 under which anybody gets the file, as of that type and disposition, for a minute."""
    answer = {"ResponseContentType": type, "ResponseContentDisposition": disposition}
    signed: str = storage().url(name_of(id, preview=preview), parameters=answer)  # type: ignore[call-arg]  # of S3Storage
    return signed
