"""The recipes for proxies let pass what ingestion takes, and nothing that only operators need."""

import re
from pathlib import Path

import pytest

from apps.ingestion import create_app
from db.settings import Settings

FOLDER = Path(__file__).parent.parent.parent / "apps" / "recipes"
#: What is for operators, and for reading, not for senders.
OWN = re.compile(r"/((health|ready|metrics|schema|favicon\.ico)(/|$)|$)")


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_a_proxy_lets_pass_what_senders_send(name: str) -> None:
    found = re.search(r"(?:location ~|path_regexp) (\^\S+\$)", (FOLDER / name).read_text())
    assert found
    public = re.compile(found[1])
    for route in create_app(Settings(redis_url="redis://localhost")).litestar.routes:
        path = re.sub(r"\{\w+:\w+\}", "some", route.path)
        assert bool(public.search(path)) != bool(OWN.match(path)), path
    for path in ("/", "/stats", "/events/export", "/dead-letters", "/schema", "/eventsx", "/x/event"):
        assert not public.search(path), path
