"""One browser for all pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from losscli.pages.chromium import Chromium, find


@pytest.fixture(scope="session")
def browser() -> Iterator[Chromium]:
    if find() is None:
        pytest.skip("NO CHROMIUM on this machine: pages were not seen in a browser")
    with Chromium() as chromium:
        yield chromium
