"""A real Chromium, spoken to over two pipes in its own debugging protocol: no driver, no port, no library."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
    None,
)
_ANSWER_S = 30.0
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--mute-audio",
    "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
    "--remote-debugging-pipe",
)  # fmt: skip
# Chromium reads its orders from descriptor 3 and answers on 4.
_WIRING = (
    "import os, sys; [os.dup2(int(sys.argv[n]), n + 2) for n in (1, 2)]; os.execv(sys.argv[3], sys.argv[3:])"
)


class Browser:
    """One page of one browser. A context manager; what it asked the network for is in `requests`."""

    def __init__(self) -> None:
        assert CHROMIUM is not None
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._folder = tempfile.TemporaryDirectory(prefix="mht-browser-", ignore_cleanup_errors=True)
        theirs_in, self._to = (_high(end) for end in os.pipe())
        self._from, theirs_out = (_high(end) for end in os.pipe())
        wiring = [sys.executable, "-c", _WIRING, str(theirs_in), str(theirs_out)]
        self._process = subprocess.Popen(
            [*wiring, CHROMIUM, *_FLAGS, f"--user-data-dir={self._folder.name}"],
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"HOME": self._folder.name},
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._unread = b""
        self._last = 0
        self._session: str | None = None

    def __enter__(self) -> Browser:
        try:
            target = self.order("Target.createTarget", url="about:blank")["targetId"]
            self._session = self.order("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Network", "Log", "Runtime"):
                self.order(f"{domain}.enable")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the browser and take its profile away."""
        os.close(self._to)  # Chromium ends when nobody can give it orders any more
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._from)
        self._folder.cleanup()

    def order(self, method: str, **params: Any) -> Any:
        """One command and its answer; what the browser says meanwhile is kept."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            said = self._hear()
            if said.get("id") == self._last:
                assert "error" not in said, f"{method}: {said['error']}"
                return said["result"]

    def open(self, page: Path, fragment: str = "") -> None:
        """Load a file from disk and wait until it is whole."""
        self.order("Page.navigate", url="about:blank")
        self.requests.clear()
        self.complaints.clear()
        self.order("Page.navigate", url=page.as_uri() + fragment)
        self.wait("document.readyState === 'complete' && location.protocol === 'file:'")

    def js(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page, as JSON has it."""
        told = self.order("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def wait(self, expression: str) -> None:
        """Until the expression is true."""
        end = time.monotonic() + _ANSWER_S
        while not self.js(expression):
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.02)

    def press(self, key: str) -> None:
        """A key down and up, its character typed where it has one."""
        text = {"text": key} if len(key) == 1 else {}
        self.order("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.order("Input.dispatchKeyEvent", type="keyUp", key=key)

    def size(self, width_px: int, height_px: int, phone: bool = False) -> None:
        self.order(
            "Emulation.setDeviceMetricsOverride",
            width=width_px,
            height=height_px,
            deviceScaleFactor=1,
            mobile=phone,
        )

    def scheme(self, light_or_dark: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": light_or_dark}]
        self.order("Emulation.setEmulatedMedia", features=features)

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.order("Page.captureScreenshot", format="png")["data"]))

    def _hear(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._from], [], [], _ANSWER_S)
            assert ready, "Chromium does not answer"
            piece = os.read(self._from, 1 << 20)
            assert piece, "Chromium ended"
            self._unread += piece
        first, _, self._unread = self._unread.partition(b"\0")
        said: dict[str, Any] = json.loads(first)
        if said.get("method") == "Network.requestWillBeSent":
            self.requests.append(said["params"]["request"]["url"])
        elif said.get("method") == "Log.entryAdded":
            self.complaints.append(said["params"]["entry"]["text"])
        elif said.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(said["params"]["exceptionDetails"]))
        return said


def _high(descriptor: int) -> int:
    """The same end of a pipe under a number of 10 or more, so that 3 and 4 are free."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return moved
