"""A headless Chromium that is on this machine, told what to do over a pipe: the DevTools protocol, with nothing to install.

Chromium reads messages from its file descriptor 3 and answers on 4, JSON with a null byte behind each. No port is opened.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

from losscli.errors import MachineError

NAMES = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
)  # fmt: skip
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE = 30.0  # seconds for an answer
LAST_WORDS = 5.0  # seconds until a browser that was told to close is killed
CURE = (
    "install Chromium or Google Chrome with the system's packages, since pip cannot: apt-get install chromium (Debian), "
    "dnf install chromium (Fedora), brew install --cask google-chrome (macOS)"
)


def find() -> str | None:
    """The path of a Chromium on this machine."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Chromium:
    """A browser with one page, for a `with` block. `events` are what the page told meanwhile."""

    def __init__(self, width: int = 1280, height: int = 900, dark: bool = False):
        self.width, self.height, self.dark = width, height, dark
        self.events: list[dict[str, Any]] = []
        self.session = ""
        self._count, self._unread = 0, b""

    def __enter__(self) -> Chromium:
        if not hasattr(os, "posix_spawn"):
            raise MachineError(
                "pictures are made on Linux and macOS only", cure="open the page, and save figures there"
            )
        path = find()
        if path is None:
            names = ", ".join(name for name in NAMES if "/" not in name)
            raise MachineError(
                f"pictures need Chromium or Google Chrome, and the PATH has neither ({names})", cure=CURE
            )
        self._home = TemporaryDirectory(prefix="losscli-", ignore_cleanup_errors=True)
        self._process = _Process(path, self._home.name)
        try:
            page = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
            self.session = self._call("Target.attachToTarget", {"targetId": page, "flatten": True})["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.tell(f"{domain}.enable")
            self.resize(self.width, self.height, self.dark)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def resize(self, width: int, height: int, dark: bool) -> None:
        """Give the page another width, height and system theme."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.tell("Emulation.setDeviceMetricsOverride", size)
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tell("Emulation.setEmulatedMedia", {"features": [theme]})

    def open(self, path: Path, fragment: str = "") -> None:
        """Show a file."""
        self.tell("Page.navigate", {"url": f"{path.resolve().as_uri()}{'#' if fragment else ''}{fragment}"})
        self.wait_for("document.readyState === 'complete'")

    def value(self, expression: str) -> Any:
        """What JavaScript makes of an expression, as plain data; promises are awaited."""
        parameters = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        answer = self.tell("Runtime.evaluate", parameters)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Wait until an expression is true."""
        until = time.monotonic() + PATIENCE
        while not self.value(expression):
            if time.monotonic() > until:
                raise MachineError(f"Chromium has waited {PATIENCE:.0f} s in vain for {expression}", cure="try again")
            time.sleep(0.03)

    def screenshot(self, element: str | None = None, scale: float = 1.0) -> bytes:
        """A PNG of what is in view, or of the first element that a selector finds, wherever on the page it is."""
        parameters: dict[str, Any] = {"format": "png"}
        if element is not None:
            box = self.value(
                f"(() => {{ const box = document.querySelector({json.dumps(element)}).getBoundingClientRect();"
                " return [box.x + scrollX, box.y + scrollY, box.width, box.height]; })()"
            )
            parameters |= {"captureBeyondViewport": True, "clip": {**dict(zip(_BOX, box, strict=True)), "scale": scale}}
        return base64.b64decode(self.tell("Page.captureScreenshot", parameters)["data"])

    def tell(self, method: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send the page a command of the protocol, and return its answer."""
        return self._call(method, parameters or {}, self.session)

    def _call(self, method: str, parameters: Mapping[str, Any], session: str = "") -> dict[str, Any]:
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        try:
            self._process.write(json.dumps(message).encode() + b"\0")
        except OSError as error:
            raise _no_answer(method) from error
        while True:
            answer = self._receive(method)
            if answer.get("id") == self._count:
                if "error" in answer:
                    raise MachineError(f"Chromium refuses {method}: {answer['error'].get('message')}", cure=CURE)
                return dict(answer["result"])
            self.events.append(answer)

    def _receive(self, method: str) -> dict[str, Any]:
        while b"\0" not in self._unread:
            chunk = self._process.read(PATIENCE)
            if not chunk:
                raise _no_answer(method)
            self._unread += chunk
        message, self._unread = self._unread.split(b"\0", 1)
        return dict(json.loads(message))

    def _close(self) -> None:
        self._process.end()
        self._home.cleanup()


_BOX = ("x", "y", "width", "height")


def _no_answer(method: str) -> MachineError:
    return MachineError(f"Chromium does not answer ({method})", cure=f"try again, or {CURE}")


class _Process:
    """A browser's process and the two pipes to it. Its group is its own, so that all of its children end with it."""

    def __init__(self, path: str, home: str):
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        nothing = os.open(os.devnull, os.O_RDWR)
        ours = [_high_descriptor(descriptor) for descriptor in (theirs_in, theirs_out, nothing)]
        actions = [(os.POSIX_SPAWN_DUP2, ours[2], number) for number in (0, 1, 2)]
        actions += [(os.POSIX_SPAWN_DUP2, ours[0], 3), (os.POSIX_SPAWN_DUP2, ours[1], 4)]
        arguments = [path, *FLAGS, f"--user-data-dir={home}", "about:blank"]
        try:
            self._pid = os.posix_spawn(path, arguments, os.environ, file_actions=actions, setpgroup=0)
        except OSError as error:
            raise MachineError(f"Chromium cannot be started: {error.strerror}", cure=CURE) from error
        finally:
            for descriptor in ours:
                os.close(descriptor)

    def write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._to, data) :]

    def read(self, seconds: float) -> bytes:
        """What there is, or nothing after so many seconds or when the browser is gone."""
        ready, _, _ = select.select([self._from], [], [], seconds)
        return os.read(self._from, 1 << 20) if ready else b""

    def end(self) -> None:
        """Close the pipes, which tells the browser to go, and see that it is gone."""
        os.close(self._to)
        until = time.monotonic() + LAST_WORDS
        while not os.waitpid(self._pid, os.WNOHANG)[0]:
            if time.monotonic() > until:
                os.killpg(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
                break
            time.sleep(0.02)
        os.close(self._from)


def _high_descriptor(descriptor: int) -> int:
    """The same pipe under a number that no other of the child's will overwrite; the old number is closed."""
    import fcntl

    higher = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return higher
