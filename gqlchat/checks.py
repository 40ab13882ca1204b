"""System checks."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from gqlchat import assets


@register
def graphiql_is_installed(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The page at /graphql needs files that are not in the repository."""
    missing = assets.missing() if settings.CHAT_GRAPHIQL else []
    if not missing:
        return []
    return [
        Warning(
            f"GraphiQL's files are missing: {', '.join(asset.static_path for asset in missing)}",
            hint="Run `make assets`. Until then the page at /graphql stays empty; the API works.",
            id="gqlchat.W001",
        )
    ]
