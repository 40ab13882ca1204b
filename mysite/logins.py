"""The settings of how people log in: passwords, links by e-mail, a provider of OpenID Connect."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from mysite.environment import Environment, split

THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}
BACKEND = "django.contrib.auth.backends.ModelBackend"


@dataclass(frozen=True)
class LoginSettings:
    """`issuer` is empty where there is no provider."""

    passwords: bool
    links: bool
    issuer: str
    client_id: str
    client_secret: str
    scopes: str
    name: str
    register: bool
    link_email: bool
    staff_group: str

    @property
    def backends(self) -> list[str]:
        """Sessions are ModelBackend's, whichever way somebody logged in, so that they outlive another choice."""
        return [BACKEND] if self.passwords else ["chat.no_passwords.NoPasswords", BACKEND]


def login_settings(env: Environment) -> LoginSettings:
    """By CHAT_PASSWORDS, CHAT_LOGIN_LINKS and CHAT_OIDC_…. Ends the program where nobody could log in by them."""
    issuer = _issuer(env)
    found = LoginSettings(
        passwords=env.switch("CHAT_PASSWORDS", default=True),
        links=env.switch("CHAT_LOGIN_LINKS", default=False),
        issuer=issuer,
        client_id=env.str("CHAT_OIDC_CLIENT_ID", default="").strip(),
        client_secret=env.secret("CHAT_OIDC_CLIENT_SECRET").strip(),
        scopes=env.str("CHAT_OIDC_SCOPES", default="openid profile email").strip() or "openid profile email",
        name=env.str("CHAT_OIDC_NAME", default="").strip() or urlsplit(issuer).hostname or "",
        register=env.switch("CHAT_OIDC_REGISTER", default=True),
        link_email=env.switch("CHAT_OIDC_LINK_EMAIL", default=False),
        staff_group=env.str("CHAT_OIDC_STAFF_GROUP", default="").strip(),
    )
    if issuer and not found.client_id:
        raise SystemExit("CHAT_OIDC_ISSUER needs CHAT_OIDC_CLIENT_ID: by that name the provider knows this site.")
    if "openid" not in found.scopes.split():
        raise SystemExit(f"CHAT_OIDC_SCOPES is {found.scopes!r}. It has to have openid among them.")
    if not (found.passwords or found.links or issuer):
        raise SystemExit("CHAT_PASSWORDS is off, so set CHAT_OIDC_ISSUER or CHAT_LOGIN_LINKS: nobody could log in.")
    return found


def _issuer(env: Environment) -> str:
    """The address of the provider, exactly as it calls itself."""
    given = str(env.str("CHAT_OIDC_ISSUER", default="")).strip()
    parts = split(given)
    is_safe = parts and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in THIS_MACHINE))
    if given and not (parts and is_safe and not parts.query and not parts.fragment):
        raise SystemExit(
            f"CHAT_OIDC_ISSUER is {given!r}. It has to be of the form https://login.example.org/realms/chat"
        )
    return given
