"""Adds for keyboards and screen readers what Sphinx and its theme leave out."""

from typing import Any

from docutils.nodes import document
from sphinx.application import Sphinx

AFTER_FURO = 900  # priority; Furo's own listener puts the navigation into the context


def complete(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: document | None) -> None:
    """Give the navigation's headings their level, and let wide blocks of code be scrolled by keys."""
    navigation = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = navigation.replace('role="heading"', 'role="heading" aria-level="2"')
    context["body"] = context.get("body", "").replace("<pre>", '<pre tabindex="0">')


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", complete, priority=AFTER_FURO)
    return {"parallel_read_safe": True}
