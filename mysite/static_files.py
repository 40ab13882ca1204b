"""The static files, served beside Django, which takes a thread for each request. A page has dozens of files."""

import os
from email.utils import formatdate

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, HTTPScope
from django.http import HttpRequest, HttpResponseBase
from servestatic.asgi import FileServerASGI
from servestatic.middleware import ServeStaticMiddleware
from servestatic.responders import MissingFileError, Redirect, StaticFile
from servestatic.utils import run_async_in_thread


class StaticFiles:
    """ASGI middleware: answers for the files that Django's finders know, and passes on what is none of them.

    With DEBUG each request looks for its file; otherwise all are known from the start. One that has changed since is
    looked at again, as when a release was put into the same folder: by its old length the answer would be cut off.
    """

    def __init__(self, application: ASGI3Application) -> None:
        self.application = application
        self._known = ServeStaticMiddleware(_no_view)  # knows Django's settings, and the finders

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        file = await self._find(scope["path"])
        application = self.application if file is None else FileServerASGI(file)
        await application(scope, receive, send)

    async def _find(self, path: str) -> StaticFile | Redirect | None:
        if self._known.autorefresh:
            return await run_async_in_thread(self._known.find_file, path)
        file = self._known.files.get(path)
        if isinstance(file, StaticFile) and not _is_as_before(file):
            try:
                file = self._known.get_static_file(_path_of(file), path)
            except (MissingFileError, FileNotFoundError):
                return None
            self._known.files[path] = file
        return file


def _is_as_before(file: StaticFile) -> bool:
    """Whether the file, and its compressed forms, have the sizes and the time that its headers tell."""
    for encoding, path, headers in file.alternatives:
        try:
            found = os.stat(path)
        except OSError:
            return False
        told = dict(headers)
        if str(found.st_size) != told["Content-Length"]:
            return False
        if encoding is None and formatdate(found.st_mtime, usegmt=True) != told["Last-Modified"]:
            return False
    return True


def _path_of(file: StaticFile) -> str:
    return str(next(path for encoding, path, _ in file.alternatives if encoding is None))


async def _no_view(request: HttpRequest) -> HttpResponseBase:
    raise NotImplementedError  # no request comes here as one of Django's
