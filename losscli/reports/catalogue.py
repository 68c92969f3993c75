"""The catalogue's pages as one HTML file: interactive, for light and dark, and whole without a network.

Plotly is inlined once. Only the two scripts whose hashes the page's policy names may run, nothing may be loaded, and every
string passes Jinja's escaping or stands in JSON without `<`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any


def write_page(path: Path, pages: Sequence[Mapping[str, Any]]) -> None:
    """Write pages, as `Page.to_json` gives them, to one file; whole or not at all."""
    text = html_of(pages)
    draft = path.with_name(path.name + ".part")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def html_of(pages: Sequence[Mapping[str, Any]]) -> str:
    """The whole document."""
    from jinja2 import Environment, StrictUndefined
    from plotly.offline import get_plotlyjs

    template = _resource("catalogue.html.jinja")
    scripts = {"plotly": get_plotlyjs(), "draw": _resource("catalogue.js")}
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'; "
    policy += "script-src " + " ".join(f"'sha256-{_digest(script)}'" for script in scripts.values())
    return (
        Environment(autoescape=True, undefined=StrictUndefined)
        .from_string(template)
        .render(
            pages=pages,
            policy=policy,
            data=_json(pages),
            title=", ".join(str(page["name"]) for page in pages),
            **scripts,
        )
    )


def _resource(name: str) -> str:
    return files("losscli.reports").joinpath(name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _json(value: Any) -> str:
    """JSON that may stand inside a script element: no `<` ends it early, no `&` is read as HTML.

    >>> print(_json("</script>"))
    "\\u003c/script>"
    """
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c").replace("&", "\\u0026")
