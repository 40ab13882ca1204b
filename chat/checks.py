"""System checks: what whoever runs the site should know before it starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


@register
def limits_are_on(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.CHAT_LIMITS or settings.DEBUG:
        return []
    return [
        Warning(
            "CHAT_LIMITS is off: anybody may post and connect without end.",
            hint="Leave it on, unless whatever stands before the site limits both.",
            id="chat.W001",
        )
    ]


@register
def longest_message_fits(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A message that is allowed can be sent, however its JSON is spelt."""
    return [
        Warning(
            f"{name} is {limit:,} bytes, and a message of CHAT_MESSAGE_MAX characters may take {needed:,}.",
            hint=f"Leave {name} unset: it then follows CHAT_MESSAGE_MAX.",
            id="chat.W003",
        )
        for name in ("CHAT_FRAME_MAX", "CHAT_BODY_MAX")
        if (limit := getattr(settings, name)) < (needed := settings.CHAT_REQUEST_BYTES)
    ]


@register
def hosts_are_named(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """With `*` any page is the site's own that calls itself by the name it asks for, and anybody can make up a name."""
    if settings.DEBUG or "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Error(
            "ALLOWED_HOSTS is *, so that pages of foreign sites can't be told from our own.",
            hint="Name the hosts by which browsers reach the site: ALLOWED_HOSTS=chat.example.org",
            id="chat.E002",
        )
    ]


@register(deploy=True)
def proxies_are_named(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if "*" not in settings.FORWARDED_ALLOW_IPS:
        return []
    return [
        Warning(
            "FORWARDED_ALLOW_IPS is *: whoever reaches the server may make up where they come from.",
            hint="Name the proxies. It is right only on a Unix socket that nobody but a proxy can open.",
            id="chat.W002",
        )
    ]


@register
def login_links_can_be_sent(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not settings.CHAT_LOGIN_LINKS or settings.DEBUG or not settings.EMAIL_BACKEND.endswith("filebased.EmailBackend"):
        return []
    return [
        Error(
            "CHAT_LOGIN_LINKS is on, and e-mails become files, which nobody gets who wants to log in.",
            hint="Name the server for e-mails: EMAIL_URL=smtp+tls://user:password@mail.example.org:587",
            id="chat.E003",
        )
    ]
