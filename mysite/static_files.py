"""The static files, served beside Django, which takes a thread for each request. A page has dozens of files."""

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, HTTPScope
from django.http import HttpRequest, HttpResponseBase
from servestatic.asgi import FileServerASGI
from servestatic.middleware import ServeStaticMiddleware
from servestatic.responders import Redirect, StaticFile
from servestatic.utils import run_async_in_thread


class StaticFiles:
    """ASGI middleware: answers for the files that Django's finders know, and passes on what is none of them.

    With DEBUG each request looks for its file; otherwise all are known from the start.
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
        return self._known.files.get(path)


async def _no_view(request: HttpRequest) -> HttpResponseBase:
    raise NotImplementedError  # no request comes here as one of Django's
