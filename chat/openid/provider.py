"""The provider as the settings CHAT_OIDC_… name it: leading people there, and reading what it says of them.

Authlib makes and checks the state, the nonce, the code's challenge (PKCE) and the ID token. Here it is held to what
this site expects: the issuer that the settings name, signatures by keys that only the provider has, and this client
among the audience.

Everything that goes wrong on the way raises a LoginFailed: the provider is another program, at the other end of a
network, and may send anything.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from authlib.integrations.django_client import DjangoIntegration, DjangoOAuth2App
from django.conf import settings
from django.http import HttpRequest
from joserfc.errors import BadSignatureError

from chat.domain.openid_claims import Claims
from chat.login_errors import LoginExpired, ProviderDeclined, ProviderFailed
from chat.openid.answers import ProviderSession

NAME = "oidc"  # in the keys of a session's logins that have begun
LOGIN_LASTS = 600  # seconds that somebody may take at the provider
METADATA_LASTS = 3600  # seconds for which its description and keys are kept; new keys are looked for at once
CLOCK_SKEW = 60  # seconds by which its clock may differ
AT_ONCE = 8  # logins that wait for the provider; more of them wait for these
WAIT_MAX = 10.0  # seconds that they do
# Signatures with a public key. Not those with the client's secret, and not `none`.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
ENDPOINTS = {"authorization_endpoint", "token_endpoint", "jwks_uri"}
USED = ENDPOINTS | {"issuer", "userinfo_endpoint", "_loaded_at"}

logger = logging.getLogger(__name__)
_asking = threading.BoundedSemaphore(AT_ONCE)


class Logins(DjangoIntegration):
    """The part of a session that lasts from the way to the provider until the way back, LOGIN_LASTS at most."""

    expires_in = LOGIN_LASTS

    def get_state_data(self, session: Any, state: str | None) -> Any:
        self._clear_session_state(session)
        return super().get_state_data(session, state)

    def set_state_data(self, session: Any, state: str, data: dict[str, Any]) -> None:
        self._clear_session_state(session)
        super().set_state_data(session, state, data)


class App(DjangoOAuth2App):
    """Authlib's client, which believes less."""

    client_cls = ProviderSession
    server_metadata: dict[str, Any]

    def load_server_metadata(self) -> dict[str, Any]:
        if "_loaded_at" not in self.server_metadata:
            self.server_metadata = self.checked(super().load_server_metadata())
        return self.server_metadata

    def checked(self, told: dict[str, Any]) -> dict[str, Any]:
        """The part of the provider's description of itself that is used. Raises ValueError."""
        if told["issuer"] != settings.CHAT_OIDC_ISSUER:
            raise ValueError(f"It calls itself {told['issuer']!r:.200} in the place of CHAT_OIDC_ISSUER.")
        metadata = {name: told[name] for name in USED if name in told}
        scheme = urlsplit(settings.CHAT_OIDC_ISSUER).scheme
        for name in (ENDPOINTS | {"userinfo_endpoint"}) & {*metadata}:
            if urlsplit(metadata[name]).scheme not in {scheme, "https"}:
                raise ValueError(f"Its {name} is not at an address of {scheme}.")
        if missing := ENDPOINTS - {*metadata}:
            raise ValueError(f"Its description has no {', '.join(sorted(missing))}.")
        algorithms = [one for one in ALGORITHMS if one in told.get("id_token_signing_alg_values_supported", ["RS256"])]
        ways = told.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        way = "client_secret_basic" if "client_secret_basic" in ways else "client_secret_post"
        return metadata | {
            "id_token_signing_alg_values_supported": algorithms,
            "token_endpoint_auth_method": way if self.client_secret else "none",
        }

    def parse_id_token(self, token: Any, nonce: str, **kwargs: Any) -> Any:
        try:
            return super().parse_id_token(token, nonce, **kwargs)
        except BadSignatureError:
            self.fetch_jwk_set(force=True)  # another key may have the name of an old one
            return super().parse_id_token(token, nonce, **kwargs)


def begin(request: HttpRequest, *, redirect_uri: str, next_path: str, language: str) -> str:
    """The address at the provider to which the browser is to go. Raises ProviderFailed."""
    with _listening():
        app = _app()
        made = app.create_authorization_url(redirect_uri, ui_locales=language)
        app.save_authorize_data(request, redirect_uri=redirect_uri, next_path=next_path, **made)
    return str(made["url"])


def finish(request: HttpRequest) -> tuple[Claims, str]:
    """Says who came back from the provider, and the `next_path` of `begin`. What `begin` made is used up.

    Raises ProviderFailed, ProviderDeclined, or LoginExpired where this browser hasn't begun that login, or long ago.
    """
    with _listening():
        app, state = _app(), request.GET.get("state")
        begun = app.framework.get_state_data(request.session, state)
        if begun is None:
            raise LoginExpired
        if "error" in request.GET:
            app.framework.clear_state_data(request.session, state)
            logger.warning("The provider of logins declined: %.100r", request.GET["error"])
            raise ProviderDeclined
        expected = {
            "iss": {"essential": True, "value": settings.CHAT_OIDC_ISSUER},
            "aud": {"essential": True, "value": settings.CHAT_OIDC_CLIENT_ID},
        }
        token = app.authorize_access_token(request, claims_options=expected, leeway=CLOCK_SKEW)
        told = token["userinfo"]
        if "userinfo_endpoint" in app.server_metadata and not {"preferred_username", "email"} <= told.keys():
            more = app.userinfo(token=token)
            if more["sub"] != told["sub"]:
                raise ValueError("Its two descriptions are of two people.")
            told = {**more, **told}
        return Claims.of(told), str(begun["next_path"])


def _app() -> App:
    wanted = (settings.CHAT_OIDC_ISSUER, settings.CHAT_OIDC_CLIENT_ID, settings.CHAT_OIDC_CLIENT_SECRET)
    return _loaded(*wanted, settings.CHAT_OIDC_SCOPES, int(time.monotonic() // METADATA_LASTS))


@lru_cache(maxsize=1)
def _loaded(issuer: str, client_id: str, secret: str, scopes: str, period: int) -> App:
    """The client, with the provider's description, for one `period`."""
    app = App(
        Logins(NAME),
        NAME,
        client_id=client_id,
        client_secret=secret or None,
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={"scope": scopes, "code_challenge_method": "S256"},
    )
    app.load_server_metadata()
    return app


@contextmanager
def _listening() -> Iterator[None]:
    """A time in which the provider is asked. A wrong answer, of any kind, raises ProviderFailed."""
    if not _asking.acquire(timeout=WAIT_MAX):
        logger.error("The provider of logins is too slow: %d logins wait for it", AT_ONCE)
        raise ProviderFailed
    try:
        yield
    except (LoginExpired, ProviderDeclined):
        raise
    except Exception as error:  # the libraries take it for granted that answers have the right form
        logger.error("The login at the provider failed: %s: %.300s", type(error).__name__, error)
        raise ProviderFailed from error
    finally:
        _asking.release()
