"""The site's navigation is made of links in pages that readers of the repository use as well.

Each section of docs/index.md is a section of the navigation, and each line of its list that begins with a link is a
page there, under the link's text. The pages in FOLDERS have the pages of a folder below them. A page that is in neither
is a warning, which fails the build.
"""

import re

from sphinx.application import Sphinx

FOLDERS = {"docs/architecture": "architecture/*", "docs/adr/README": "0*", "docs/programs": "../examples/*/README"}
SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
LINK = re.compile(r"^- \[(.+?)\]\(([\w./-]+)\.md\)", re.MULTILINE)


def add_navigation(app: Sphinx, page: str, source: list[str]) -> None:
    """Append hidden tables of contents to the text of a page that has pages below it."""
    if page == app.config.root_doc:
        _, *sections = SECTION.split(source[0])
        for title, text in zip(sections[::2], sections[1::2], strict=True):
            pages = [f"{name} <{target}>" for name, target in LINK.findall(text)]
            source[0] += _toctree(pages, caption=title)
    elif page in FOLDERS:
        source[0] += _toctree([FOLDERS[page]], glob="")


def _toctree(pages: list[str], **options: str) -> str:
    lines = [f":{name}: {value}" for name, value in options.items()]
    return "\n".join(["", "", "```{toctree}", ":hidden:", *lines, "", *pages, "```", ""])


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", add_navigation)
    return {"parallel_read_safe": True}
