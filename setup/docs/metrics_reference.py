"""The reference of the metrics, as a part of docs/metrics.md on the site, found in the source of chat/metrics.py."""

import ast
from collections.abc import Iterator

from setup.node import ROOT

KINDS = {"Counter", "Gauge", "Histogram"}


def markdown() -> str:
    tree = ast.parse((ROOT / "chat" / "metrics.py").read_text())
    return "\n".join(sorted(_lines(tree))) + "\n"


def _lines(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Name(id=kind),
                args=[ast.Constant(value=str(name)), ast.Constant(value=str(text)), *labels],
            ) if kind in KINDS:
                exposed = f"{name}_total" if kind == "Counter" else name
                names = ", ".join(ast.literal_eval(labels[0])) if labels else ""
                yield f"- `{exposed}{f'{{{names}}}' if names else ''}`, a {kind.lower()}: {text}"
