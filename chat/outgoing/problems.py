"""Reasons for which a request to another host isn't sent, or brings no answer, and sentences that say so.

The codes are stored with deliveries of webhooks, and the sentences are for the people who named the address.
"""

import errno
import ssl
from enum import StrEnum
from typing import TYPE_CHECKING

from aiohttp import (
    ClientConnectionError,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientPayloadError,
    ClientResponseError,
    ClientSSLError,
    ConnectionTimeoutError,
    InvalidURL,
)
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class Problem(StrEnum):
    # of the URL
    URL_TOO_LONG = "url_too_long"
    MALFORMED_URL = "malformed_url"
    NO_WEB_URL = "no_web_url"
    NO_HOST = "no_host"
    BAD_HOST = "bad_host"
    PORT_OUT_OF_RANGE = "port_out_of_range"
    CREDENTIALS = "credentials"
    # of the address that it leads to
    PRIVATE_ADDRESS = "private_address"
    PORT = "port"
    # of the host
    NAME_NOT_FOUND = "name_not_found"
    CERTIFICATE = "certificate"
    TLS = "tls"
    CONNECTION_REFUSED = "connection_refused"
    UNREACHABLE = "unreachable"
    NO_CONNECTION_IN_TIME = "no_connection_in_time"
    NO_ANSWER_IN_TIME = "no_answer_in_time"
    BROKEN_OFF = "broken_off"
    NO_HTTP = "no_http"
    TOO_LARGE = "too_large"
    REDIRECTS = "redirects"
    OTHER = "other"


TEXTS: dict[Problem, "StrOrPromise"] = {
    Problem.URL_TOO_LONG: _("The address is too long."),
    Problem.MALFORMED_URL: _("The address isn’t a URL that can be read."),
    Problem.NO_WEB_URL: _("The address has to begin with https:// or http://."),
    Problem.NO_HOST: _("The address names no host."),
    Problem.BAD_HOST: _("The host in the address has a name that can’t be one."),
    Problem.PORT_OUT_OF_RANGE: _("The port in the address has to be a number from 1 to 65535."),
    Problem.CREDENTIALS: _(
        "The address has a user name or a password in it, and these aren’t sent. Leave them out, with the “@” "
        "behind them."
    ),
    Problem.PRIVATE_ADDRESS: _(
        "{host} has no public address, nor one in the networks that the setting CHAT_OUTGOING_NETWORKS names. The "
        "people who run the site can add it there."
    ),
    Problem.PORT: _(
        "Requests aren’t sent to port {port}, but to 80, 443 and those from 1024 on. The networks in the setting "
        "CHAT_OUTGOING_NETWORKS are asked at any port."
    ),
    Problem.NAME_NOT_FOUND: _("The name {host} wasn’t found."),
    Problem.CERTIFICATE: _(
        "The certificate of {host} isn’t valid: it has expired, is for another name, or is signed by an authority "
        "that isn’t known here."
    ),
    Problem.TLS: _("{host} doesn’t speak HTTPS there."),
    Problem.CONNECTION_REFUSED: _("{host} refused the connection: does a program listen at that port?"),
    Problem.UNREACHABLE: _("{host} couldn’t be reached."),
    Problem.NO_CONNECTION_IN_TIME: _("{host} didn’t take the connection in time: a firewall may be in between."),
    Problem.NO_ANSWER_IN_TIME: _("{host} didn’t answer within {seconds} seconds."),
    Problem.BROKEN_OFF: _("{host} broke off the connection before it had answered."),
    Problem.NO_HTTP: _("{host} answered something that isn’t HTTP."),
    Problem.TOO_LARGE: _("The answer of {host} is too long."),
    Problem.REDIRECTS: _("{host} redirects too often, or to an address that isn’t asked."),
    Problem.OTHER: _("The request to {host} failed."),
}


def text_of(problem: Problem, *, host: str, port: int | None, seconds: float) -> str:
    """The sentence, in the language that is active; `seconds` is how long the host has to answer."""
    return str(TEXTS[problem]).format(host=host, port=port, seconds=f"{seconds:g}")


BY_ERRNO = {
    errno.ECONNREFUSED: Problem.CONNECTION_REFUSED,
    errno.ETIMEDOUT: Problem.NO_CONNECTION_IN_TIME,
    errno.ECONNRESET: Problem.BROKEN_OFF,
    errno.EPIPE: Problem.BROKEN_OFF,
}


def problem_of(error: BaseException) -> Problem:
    """The problem for which aiohttp, a socket or the clock has raised `error`."""
    match error:
        case InvalidURL():
            return Problem.MALFORMED_URL
        case UnicodeError():  # raised where a name is looked up
            return Problem.BAD_HOST
        case ClientConnectorDNSError():
            return Problem.NAME_NOT_FOUND
        case ClientConnectorCertificateError():
            return Problem.CERTIFICATE
        case ClientSSLError() | ssl.SSLError():
            return Problem.TLS
        case ConnectionTimeoutError():
            return Problem.NO_CONNECTION_IN_TIME
        case TimeoutError():
            return Problem.NO_ANSWER_IN_TIME
        case ClientConnectorError():
            return BY_ERRNO.get(error.os_error.errno or 0, Problem.UNREACHABLE)
        case ClientConnectionError() | ClientPayloadError() | ConnectionError():
            return Problem.BROKEN_OFF
        case ClientResponseError() | ValueError():
            return Problem.NO_HTTP
        case _:
            return Problem.OTHER
