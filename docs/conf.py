"""How Sphinx builds the documentation site: `make docs`.

The source folder is the repository's, and pages keep their paths, so that a link works in the repository as it does on
the site. Only Markdown that every reader of the repository can read is used: what needs more is in setup/docs.
"""

import shutil
from pathlib import Path

from sphinx.application import Sphinx

project = "Chat"
author = "the contributors"

root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "benchmarks/README.md", "examples/*/README.md"]
exclude_patterns = ["chat", "gqlchat", "locale", "mysite", "static", "templates", "tests", "var"]
exclude_patterns += [".*", "**/.*", "node_modules", "**/node_modules"]

extensions = [
    "myst_parser",
    "setup.docs.accessibility",
    "setup.docs.diagrams",
    "setup.docs.navigation",
    "setup.docs.references",
]
myst_heading_anchors = 4  # levels of headings that have anchors, the same as on GitHub

suppress_warnings = ["misc.highlighting_failure"]  # examples have comments and dots where JSON has none

html_theme = "furo"  # its fonts are the system's
html_title = "Chat"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["_extra"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_permalinks_icon = "#"


def setup(app: Sphinx) -> None:
    app.connect("build-finished", copy_pictures)


def copy_pictures(app: Sphinx, error: Exception | None) -> None:
    """The README's pictures, which it shows by HTML of its own."""
    if app.builder.format == "html" and not error:
        for picture in Path(app.confdir).glob("*.webp"):
            shutil.copy(picture, app.outdir / "docs")
