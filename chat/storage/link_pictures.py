"""Pictures of linked pages, in the storage of files: small WebP files, each by the id that messages name.

As slow as the network, like that storage: from the event loop, one goes through a thread.
"""

from uuid import UUID

from django.core.files.base import ContentFile

from chat.storage.file_store import outages_as_os_errors, storage


def name_of(id: UUID) -> str:
    return f"links/{id.hex[:2]}/{id.hex}.webp"


def keep(id: UUID, content: bytes) -> None:
    """Stores a picture, instead of the one that had this id before. Raises OSError."""
    delete(id)
    with outages_as_os_errors():
        storage().save(name_of(id), ContentFile(content))


def read(id: UUID) -> bytes:
    """The picture. Raises FileNotFoundError, or another OSError."""
    with outages_as_os_errors(), storage().open(name_of(id)) as file:
        content: bytes = file.read()
    return content


def delete(id: UUID) -> None:
    """Deletes a picture, if it is there. Raises OSError."""
    with outages_as_os_errors():
        storage().delete(name_of(id))
