"""A headless Chromium: Playwright's own where it is installed, else the system's."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, Error, Playwright, sync_playwright

#: The system's, by its names.
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
#: Names that lead to this machine, for pages on other origins, also over TLS.
HOSTS = ("shop.test", "events.test", "vendor.test")
#: As its own, but for the word by which it would be taken for a bot.
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
#: Of the browser as a whole: what Playwright sets for a page does not hold for what is sent when that is left.
OPTIONS = [
    f"--user-agent={USER_AGENT}",
    "--ignore-certificate-errors",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=" + ",".join(f"MAP {host} 127.0.0.1" for host in HOSTS),
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser. AssertionError that says why where none starts."""
    with sync_playwright() as playwright:
        browser = _started(playwright)
        yield browser
        browser.close()


def _started(playwright: Playwright) -> Browser:
    paths = [None, *filter(None, map(shutil.which, PROGRAMS))]
    reasons = []
    for path in paths:
        try:
            # Chromium's sandbox refuses root.
            return playwright.chromium.launch(executable_path=path, args=OPTIONS, chromium_sandbox=os.geteuid() != 0)
        except Error as error:
            reasons.append(f"{path or 'Playwright’s own'}: {error.message.strip().splitlines()[0]}")
    raise AssertionError(f"no Chromium starts (`playwright install chromium` brings one): {'; '.join(reasons)}")


def visitor(browser: Browser, *, scripts: bool = True) -> BrowserContext:
    """A visitor with nothing in common with others."""
    return browser.new_context(java_script_enabled=scripts)
