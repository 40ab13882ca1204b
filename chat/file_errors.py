"""Errors of files, each with a stable code, as those in `chat.errors`."""

import math

from django.utils.translation import gettext_lazy as _

from chat.errors import ChatError, grouped


class InvalidUpload(ChatError):
    """The body of an upload is no form with one file in its field `file`, or it ends too soon."""

    code = "invalid_upload"


class UploadTooSlow(ChatError):
    """Nothing more of an upload came for a while."""

    code = "upload_too_slow"


class WrongToken(ChatError):
    """A browser's request has not the token that belongs to its cookie."""

    code = "csrf_failed"


class FileTooLarge(ChatError):
    """A file is larger than CHAT_FILE_SIZE."""

    code = "file_too_large"

    def __init__(self, longest: int) -> None:
        super().__init__(_("The file is too large: {longest} MB are allowed."), longest=megabytes(longest))


class TooManyUploads(ChatError):
    """A person is uploading as many files at once as one may."""

    code = "too_many_uploads"

    def __init__(self, most: int) -> None:
        super().__init__(_("You are uploading {most} files already. Please wait until one is done."), most=most)


class DailyFilesExceeded(ChatError):
    """A person has uploaded CHAT_FILES_PER_DAY bytes today."""

    code = "daily_files_exceeded"

    def __init__(self, longest: int, retry_after: float) -> None:
        super().__init__(
            _("You can upload {longest} MB a day, and this would be more. Please try again tomorrow."),
            longest=megabytes(longest),
        )
        self.retry_after = math.ceil(retry_after)
        """Seconds until the next day, in UTC."""

    @property
    def details(self) -> dict[str, object]:
        return {**super().details, "retry_after": self.retry_after}


class StorageFull(ChatError):
    """All files of the site together would take more than CHAT_FILES_TOTAL."""

    code = "storage_full"

    def __init__(self) -> None:
        super().__init__(_("This site has no room for more files. Please tell the people who run it."))


class InvalidAttachments(ChatError):
    """The attachments of a message are no list of ids, each once."""

    code = "invalid_attachments"


class TooManyFiles(ChatError):
    """A message is to have more than CHAT_FILES_PER_MESSAGE files."""

    code = "too_many_files"


NOT_ATTACHABLE = _("There is no such file here, or it is attached to a message already. Upload it again.")


class NoSuchFile(ChatError):
    """There is no such file, or not for this person: it may be another room's, or another message may have it."""

    code = "no_such_file"


def megabytes(size: int) -> object:
    """A number of bytes as a parameter of an error's text."""
    return grouped(max(1, size // 1_000_000) if size >= 1_000_000 else round(size / 1_000_000, 3))
