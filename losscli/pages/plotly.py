"""The chart library that pages carry: plotly.js, its bundle of Cartesian charts, as `vendor/README.md` says."""

from __future__ import annotations

import base64
import functools
import gzip
import re
from importlib.resources import files

VERSION = "4.1.1"
SHA256 = "79542150855a52c567260e3137095dbe2b744e6d702a5cabe67da246942fba7a"  # of the script, not of the gzip around it
FILE = "plotly-cartesian.min.js.gz"

# The bundle carries the style of maps that no page has, and leaves it out where an element of this name is there already.
MAPS = re.compile(r'getElementById\("([0-9a-f]{64})"\)')


@functools.cache
def source() -> str:
    """The script itself.

    >>> f"plotly.js (cartesian - minified) v{VERSION}" in source()
    True
    """
    return gzip.decompress(_bytes()).decode()


@functools.cache
def packed() -> str:
    """The same as pages carry it: gzip in Base64."""
    return base64.b64encode(_bytes()).decode()


@functools.cache
def style_ids() -> tuple[str, ...]:
    """The ids of the style elements that the bundle would make, and a page's policy would refuse with an error."""
    return tuple(sorted(set(MAPS.findall(source()))))


def _bytes() -> bytes:
    return files("losscli.pages").joinpath("vendor", FILE).read_bytes()
