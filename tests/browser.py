"""Chromium over a pipe, by its own protocol: pages are opened, asked, pressed and drawn without a package for it."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import signal
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), "")
"""The browser of this machine, empty without one."""

OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run", "--mute-audio"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"),
)
FIRST = 10
"""Descriptors from here on are none of the browser's own."""


class Page:
    """A page of the browser."""

    def __init__(self, write: int, read: int) -> None:
        self.write, self.read, self.session, self.sent = write, read, "", 0
        self.buffer = b""
        self.requests: list[str] = []
        self.errors: list[str] = []

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its answer; requests and errors of the page are kept on the way."""
        self.sent += 1
        message = {"id": self.sent, "method": method, "params": parameters}
        os.write(
            self.write, json.dumps(message | ({"sessionId": self.session} if self.session else {})).encode() + b"\0"
        )
        while (answer := self._next()).get("id") != self.sent:
            self._note(answer)
        assert "error" not in answer, (method, answer["error"])
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.buffer:
            part = os.read(self.read, 1 << 20)
            assert part, "the browser has ended"
            self.buffer += part
        one, _, self.buffer = self.buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(one)
        return answer

    def _note(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        if event.get("method") == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        if event.get("method") == "Runtime.exceptionThrown":
            self.errors.append(str(parameters["exceptionDetails"]))

    def open(self, path: Path) -> None:
        """Open a file and wait until it is loaded."""
        self.requests, self.errors = [], []
        self.send("Page.navigate", url=path.as_uri())
        self.ask("new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', done))")

    def ask(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key."""
        for kind in ("rawKeyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=KEYS[key])

    def size(self, width: int, height: int, phone: bool = False) -> None:
        """Set the size of the window, or of a phone."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)

    def picture(self, path: Path) -> None:
        """Draw the whole page."""
        drawn = self.send("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(drawn["data"]))

    def printed(self) -> bytes:
        """Return the page as it is printed on A4."""
        size = {"paperWidth": 8.27, "paperHeight": 11.69}
        return base64.b64decode(self.send("Page.printToPDF", preferCSSPageSize=True, **size)["data"])


KEYS = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Home": 36, "End": 35}


@contextmanager
def browser() -> Iterator[Page]:
    """Start the browser with one empty page; it ends with the block."""
    ours, theirs = os.pipe(), os.pipe()
    # The browser reads from 3 and writes to 4; our own ends are moved out of the way of these.
    high = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, FIRST) for one in (*ours, *theirs)]
    for one in (*ours, *theirs):
        os.close(one)
    to_read, to_write, from_read, from_write = high
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, open(os.devnull, "wb") as nowhere:
        ends = [(os.POSIX_SPAWN_DUP2, to_read, 3), (os.POSIX_SPAWN_DUP2, from_write, 4)]
        ends.append((os.POSIX_SPAWN_DUP2, nowhere.fileno(), 2))
        words = [CHROMIUM, *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        # A clock that is preloaded, as `faketime` does, would leave the browser waiting on the one of the system.
        environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
        process = os.posix_spawn(CHROMIUM, words, environment, file_actions=ends, setpgroup=0)
        os.close(to_read)
        os.close(from_write)
        try:
            page = Page(to_write, from_read)
            target = page.send("Target.createTarget", url="about:blank")["targetId"]
            page.session = page.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Network"):
                page.send(f"{domain}.enable")
            yield page
        finally:
            os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
            os.close(to_write)
            os.close(from_read)
