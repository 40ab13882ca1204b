"""Mermaid's diagrams on the site: drawn by the browser, offline, in the colours of the theme.

A fenced block "mermaid" stays readable where no script runs. Pages with a diagram load Mermaid. Its file comes from
npm, as GraphiQL's do, and only `make docs` installs it, once: `python -m setup.docs.diagrams`.
"""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.nodes import document
from sphinx.application import Sphinx

from chat.assets import Asset
from setup.assets import install
from setup.node import ROOT, InstallError


@dataclass(frozen=True)
class DocsAsset(Asset):
    """A file that the documentation needs and the site doesn't."""

    @property
    def file(self) -> Path:
        return ROOT / "var" / "docs-assets" / Path(self.path).name


MERMAID = DocsAsset(
    "mermaid",
    "11.17.2",
    "dist/mermaid.min.js",
    "sha384-EOXBFmc3gx5mb+vn0vPvvGqACToJD24hhacX5Yx+8NUUQrHIle/Qi5Bg9o3zKwW2",
)


def draw_by_script(app: Sphinx, tree: document) -> None:
    """Replace Mermaid's blocks of code by elements that docs/_static/diagrams.js draws into."""
    for block in [*tree.findall(nodes.literal_block)]:
        if block.get("language") == "mermaid":
            html = f'<pre class="mermaid">{escape(block.astext())}</pre>'
            block.replace_self(nodes.raw("", html, format="html"))


def load_mermaid(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: document | None) -> None:
    if MERMAID.is_installed and tree and any('class="mermaid"' in raw.astext() for raw in tree.findall(nodes.raw)):
        app.add_js_file(MERMAID.file.name)
        app.add_js_file("diagrams.js")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-read", draw_by_script)
    app.connect("html-page-context", load_mermaid)
    app.connect("builder-inited", lambda app: app.config.html_static_path.append(str(MERMAID.file.parent)))
    return {"parallel_read_safe": True}


if __name__ == "__main__" and not MERMAID.is_installed:
    try:
        install([MERMAID])
    except InstallError as error:
        print(f"The site shows the source of diagrams, since what draws them could not be installed: {error}")
