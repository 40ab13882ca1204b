"""Restores a backup: first its files, then its database in one transaction. Broken off, the database is what it was."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth import get_user_model
from django.db import Error, connection, transaction
from django.db.migrations.loader import MigrationLoader

from chat.models import Room, WebhookPosition
from chat.storage.backup import checking, manifest, named_files, postgresql_copy, sqlite_copy
from chat.storage.backup.errors import BackupError
from chat.storage.backup.file_copies import FileCopies
from chat.storage.backup.manifest import Manifest
from chat.storage.transfer.progress import Progress, silent
from chat.storage.webhook_work import RESTORED


@dataclass(frozen=True, slots=True)
class Restored:
    """The backup, how many files the storage lacked, and the migrations that it still needs."""

    manifest: Manifest
    files: int
    migrations: list[str]


def restore(
    folder: Path, *, replace: bool = False, of_files: Progress = silent, of_database: Progress = silent
) -> Restored:
    """Restores the backup in `folder`. Raises BackupError.

    A database in which there is something is replaced only with `replace`.
    """
    made = checking.check_digests(folder)
    if made.database != connection.vendor:
        raise BackupError(f"The backup is of {made.database}, and DATABASE_URL names {connection.vendor}.")
    needed = _migrations_after(made.migrations)
    if not replace and _has_content():
        raise BackupError("There is something in the database. To throw that away, say --replace.")
    files = FileCopies(folder.parent, named_files.storage).bring_back(manifest.listed_files(folder), of_files)
    if made.database == "postgresql":
        postgresql_copy.restore(folder / postgresql_copy.FILE_NAME, int(made.server), progress=of_database)
        postgresql_copy.drop_other_tables({*made.tables})
    else:
        sqlite_copy.restore(folder / sqlite_copy.FILE_NAME, of_database)
    mark_webhooks()
    return Restored(made, files, needed)


def mark_webhooks() -> None:
    """Has each webhook be told that its log went back, which the restored database can't know by itself."""
    if WebhookPosition._meta.db_table in connection.introspection.table_names():  # else it is of an older release
        WebhookPosition.objects.update(entry_id=f"{RESTORED}-{uuid.uuid4().hex[:16]}")


def _migrations_after(applied: Collection[str]) -> list[str]:
    """The migrations of this release that a database with those `applied` needs. Raises BackupError for a newer one."""
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    if unknown := sorted({*applied} - known):
        raise BackupError(f"The backup is of a newer release, which has {', '.join(unknown)}. Install that one first.")
    return sorted(known - {*applied})


def _has_content() -> bool:
    try:
        with transaction.atomic():
            return Room.objects.exists() or get_user_model()._default_manager.exists()
    except Error:
        return bool(connection.introspection.table_names())  # tables of something else, or of another release
