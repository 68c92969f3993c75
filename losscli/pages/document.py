"""One HTML file that is whole alone: the frame, style and scripts that every page shares, and the policy that guards them.

Nothing is loaded, and nothing runs but the scripts whose hashes the page's policy names. What is large (Plotly, numbers)
stands in it compressed; a small script unpacks it when the first chart comes into view, so that a page opens at once.
Foreign text passes Jinja's escaping, or is Base64 until a script reads it as JSON.
"""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from losscli.errors import SpecError, shown, visible
from losscli.outfile import atomic, refusal, require_file
from losscli.pages import plotly

MARK = '<meta name="generator" content="losscli'  # a file that has it near its beginning may be replaced
MARKED = "<!-- made by losscli"  # likewise, in Markdown, where it cannot be seen
NEAR = 4096

SCRIPTS = ("page.js", "controls.js", "charts.js", "regions.js")  # before the kind's own
NOTHING = (
    ""  # Plotly makes empty style elements and fills them through the CSSOM; beside style attributes that is all it may
)


def document(template: str, title: str, data: Any, *, charts: bool = True, **facts: Any) -> str:
    """The page of a kind: `templates/<template>.html.jinja` with its `.js` and, where there is one, its `.css`.

    `data` is what the script draws (`unpacked("data")`), `facts` what the template says. A page without `charts` has no
    Plotly, which is two thirds of a megabyte.
    """
    styles = [_resource(name) for name in ("page.css", f"{template}.css") if _exists(name)]
    scripts = [_resource(name) for name in (*SCRIPTS[: None if charts else 2], f"{template}.js") if _exists(name)]
    page: str = (
        _environment()
        .get_template(f"{template}.html.jinja")
        .render(
            title=title,
            policy=_policy([*scripts, *([plotly.source()] if charts else [])], [*styles, NOTHING]),
            version=version("losscli"),
            styles=styles,
            scripts=scripts,
            plotly=plotly.packed() if charts else "",
            present=plotly.style_ids() if charts else (),
            data=packed(json.dumps(data, allow_nan=False, separators=(",", ":"))),
            **facts,
        )
    )
    return page


def save(path: Path, text: str, force: bool = False) -> None:
    """Write a page, whole or not at all; in place of another page of losscli, or with `force` of anything."""
    unclaimed(path, force)
    with atomic(path) as draft:
        draft.write(text.encode())


def unclaimed(path: Path, force: bool = False) -> None:
    """Refuse a file that is not losscli's to replace."""
    try:
        if not require_file(path) or force:
            return
        with path.open("rb") as file:
            start = file.read(NEAR)
    except OSError as error:
        raise refusal(path, error) from error
    if MARK.encode() not in start and not start.startswith(MARKED.encode()):
        raise SpecError(
            f"{shown(path)} exists, and losscli did not write it", cure="choose another file, or add --force"
        )


def packed(text: str) -> str:
    """Text as a script unpacks it: gzip, the same bytes every time, in Base64."""
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


@functools.cache
def _environment() -> Any:
    """One for all pages of a process, so that no template is compiled twice."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_resource),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    return environment


def _policy(scripts: Sequence[str], styles: Sequence[str]) -> str:
    rules: Mapping[str, str] = {
        "default-src": "'none'",
        "script-src": _hashes(scripts),
        "style-src-elem": _hashes(styles),
        "style-src-attr": "'unsafe-inline'",
        "img-src": "data: blob:",
        "connect-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hashes(texts: Sequence[str]) -> str:
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


@functools.cache
def _resource(name: str) -> str:
    return _template(name).read_text(encoding="utf-8")


def _exists(name: str) -> bool:
    return _template(name).is_file()


def _template(name: str) -> Traversable:
    return files("losscli.pages").joinpath("templates", name)
