"""HTTP to the provider, within limits: it may hang, fail, or answer without an end."""

import time
from io import BytesIO
from typing import Any

from authlib.integrations.requests_client import OAuth2Session
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectionError

CONNECT_TIMEOUT = 3.0  # seconds
READ_TIMEOUT = 5.0  # seconds in which nothing comes
ANSWER_TIMEOUT = 10.0  # seconds for a whole answer
ANSWER_MAX = 500_000  # bytes
CHUNK = 8192  # bytes that are read at once


class BoundedAdapter(HTTPAdapter):
    """Reads each answer to its end, within the limits above."""

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        until = time.monotonic() + ANSWER_TIMEOUT
        kwargs |= {"stream": True, "timeout": (CONNECT_TIMEOUT, READ_TIMEOUT)}
        response = super().send(request, *args, **kwargs)
        body = BytesIO()
        while chunk := response.raw.read1(CHUNK, decode_content=True):  # as soon as there is something
            body.write(chunk)
            if body.tell() > ANSWER_MAX:
                response.close()
                raise ConnectionError(f"The answer is longer than {ANSWER_MAX} bytes.")
            if time.monotonic() > until:
                response.close()
                raise ConnectionError(f"The answer takes longer than {ANSWER_TIMEOUT:g} seconds.")
        response.raw.release_conn()
        body.seek(0)
        response.raw = body
        return response


class ProviderSession(OAuth2Session):
    """Requests of one login. None of them is sent on to another address: they have secrets in them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.mount("https://", BoundedAdapter())
        self.mount("http://", BoundedAdapter())

    def request(self, method: str, url: str, **kwargs: Any) -> Response:
        response: Response = super().request(method, url, **{**kwargs, "allow_redirects": False})
        if response.is_redirect:
            raise ConnectionError("The provider redirects, where it is to answer.")
        return response
