"""What goes wrong in a page: `faults = Faults(page)`, then `assert faults.found == []`."""

from playwright.sync_api import ConsoleMessage, Error, Page, Request, Response


class Faults:
    """Errors and warnings in the console, exceptions, and requests that failed, from now on."""

    def __init__(self, page: Page) -> None:
        self.found: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", self._thrown)
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.found.append(f"console {message.type}: {message.text}")

    def _thrown(self, error: Error) -> None:
        self.found.append(f"exception: {error}")

    def _failed(self, request: Request) -> None:
        self.found.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.found.append(f"{response.status}: {response.request.method} {response.url}")
