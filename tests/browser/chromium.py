"""A headless Chromium, driven by its DevTools protocol: https://chromedevtools.github.io/devtools-protocol/."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from apps.processes import Child
from tests.servers import eventually, until

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
#: As its own, but for the word by which it would be taken for a bot.
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
OPTIONS = [
    "--headless=new",
    "--remote-debugging-port=0",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--host-resolver-rules=MAP shop.test 127.0.0.1",
    f"--user-agent={USER_AGENT}",
]


class Tab:
    """A tab of the browser, that shares nothing with others."""

    def __init__(self, browser: "Chromium") -> None:
        self.browser = browser
        context = browser.call("Target.createBrowserContext")["browserContextId"]
        self.target = browser.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]

    def open(self, url: str) -> None:
        """Go to a page, and return once it is loaded."""
        self.call("Page.navigate", url=url)
        until(lambda: self.run("document.readyState") == "complete")

    def run(self, script: str) -> Any:
        """What a script in the page comes to. AssertionError where it throws."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, userGesture=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def before_pages(self, script: str) -> None:
        """Run this in each page, before its own scripts."""
        self.call("Page.enable")
        self.call("Page.addScriptToEvaluateOnNewDocument", source=script)

    def without_scripts(self) -> None:
        self.call("Emulation.setScriptExecutionDisabled", value=True)

    def close(self) -> None:
        self.browser.call("Target.closeTarget", targetId=self.target)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.browser.call(method, session=self.session, **parameters)


class Chromium:
    """A running browser."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.numbers = count(1)

    def call(self, method: str, *, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """The result of a command. AssertionError where it fails."""
        number = next(self.numbers)
        command = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        self.connection.send(json.dumps(command))
        while True:
            answer = json.loads(self.connection.recv(timeout=30))
            if answer.get("id") == number:  # all others are events
                assert "result" in answer, answer
                result: dict[str, Any] = answer["result"]
                return result


@contextmanager
def chromium(folder: Path) -> Iterator[Chromium]:
    """A browser with its profile in `folder`, for as long as the context lasts."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert program, f"these tests need one of {', '.join(PROGRAMS)} on the PATH"
    options = [*OPTIONS, f"--user-data-dir={folder}"]
    if os.geteuid() == 0:
        options.append("--no-sandbox")  # which refuses root
    child = Child("chromium", [program, *options], environment=os.environ, grace=15, log=folder / "chromium.log")
    child.start()
    try:
        port, path = eventually(lambda: (folder / "DevToolsActivePort").read_text().split())
        with connect(f"ws://127.0.0.1:{port}{path}", proxy=None, max_size=None) as connection:
            yield Chromium(connection)
    finally:
        child.stop()
