"""Pages of reference whose text is made from the code while the site is built; what the repository has of them is an
introduction."""

from collections.abc import Callable

from sphinx.application import Sphinx

from setup.docs import commands_reference, graphql_reference, metrics_reference, settings_reference

MADE: dict[str, Callable[[], str]] = {
    "docs/commands": commands_reference.markdown,
    "docs/graphql": graphql_reference.markdown,
    "docs/metrics": metrics_reference.markdown,
    "docs/settings": settings_reference.markdown,
}


def append_what_is_made(app: Sphinx, page: str, source: list[str]) -> None:
    if page in MADE:
        source[0] += "\n" + MADE[page]()


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", append_what_is_made)
    return {"parallel_read_safe": True}
