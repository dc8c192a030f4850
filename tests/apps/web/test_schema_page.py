"""/ and /schema of both apps: what is put into them stays data, and their links lead where the app runs."""

import json
import re
from collections.abc import Iterator
from html import unescape
from importlib import import_module
from typing import Any

import httpx
import msgspec
import pytest
from litestar.testing import TestClient

from apps.web.schema_page import as_data
from db.settings import SettingsError, load
from tests.servers.key import AUTHORIZED
from tests.servers.servers import Servers

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
OTHER = {"ingestion": "reporting", "reporting": "ingestion"}
PORTS = {"ingestion": 3000, "reporting": 3001}
#: What a browser that came straight to the app's own port says.
DIRECT = [("http://analytics.lan:{}", "http://analytics.lan:{}"), ("http://[::1]:{}", "http://[::1]:{}")]
#: Behind a proxy nobody can tell where the other app is: by its own name, by ours, with a prefix, over TLS.
PROXIED = [
    {"host": "reports.shop.example"},
    {"host": "reports.shop.example:8443"},
    {"host": "127.0.0.1:{port}", "x-forwarded-for": "203.0.113.7"},
    {"host": "127.0.0.1:{port}", "x-forwarded-host": "reports.shop.example"},
    {"host": "127.0.0.1:{port}", "forwarded": "host=reports.shop.example"},
    {"host": "127.0.0.1:{port}", "via": "1.1 proxy"},
    {"host": "a_b:{port}:1"},
    {"host": ""},
]


@pytest.fixture(params=["ingestion", "reporting"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def client(name: str, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    client: httpx.Client = request.getfixturevalue(name)
    before = client.headers
    client.headers = before.copy()
    client.headers.update(AUTHORIZED)
    yield client
    client.headers = before


def document(page: httpx.Response) -> str:
    """The document in a page: all up to what ends a script for a browser."""
    return page.text.partition('id="document">')[2].partition("</script")[0]


def texts(page: httpx.Response) -> list[str]:
    """All that a page says of the other app: in its document, and for where that cannot be believed."""
    description = json.loads(document(page))["info"]["description"]
    return [description, unescape(re.findall(r'data-unlinked="([^"]*)"', page.text)[0])]


@pytest.mark.parametrize(
    "text", ["</script><script>alert(1)</script>", "<!--<script>", "a\u2028b\u2029c", "</SCRIPT >", "&lt;"]
)
def test_nothing_in_a_text_can_end_the_script_that_it_stands_in(text: str) -> None:
    written = as_data(json.dumps({"text": text}, ensure_ascii=False))
    assert not set(written) & set("<>&\u2028\u2029")
    assert json.loads(written) == {"text": text}


def test_the_page_holds_the_whole_document_as_data(client: httpx.Client) -> None:
    page = client.get("/schema")
    assert "<" not in document(page)
    assert json.loads(document(page)) == client.get("/schema/openapi.json").json()


def test_a_page_has_no_script_of_its_own_and_cannot_be_framed(client: httpx.Client) -> None:
    for path in ("/", "/schema"):
        page = client.get(path, headers=BROWSER)
        assert page.headers["content-type"].startswith("text/html")
        assert page.headers["x-content-type-options"] == "nosniff"
        policy = page.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        for opening in re.findall(r"<script[^>]*>", page.text):
            assert "src=" in opening or 'type="application/json"' in opening


@pytest.mark.parametrize("path", ["/schema/assets/pages.js", "/schema/assets/swagger-ui.css", "/schema/openapi.json"])
def test_files_are_what_they_say(client: httpx.Client, path: str) -> None:
    assert client.get(path).headers["x-content-type-options"] == "nosniff"


def test_the_scripts_and_images_for_pages_are_what_they_say(ingestion: httpx.Client) -> None:
    for path in ("/tracker.js", "/pixel.gif"):
        assert ingestion.get(path, headers=AUTHORIZED).headers["x-content-type-options"] == "nosniff"


def test_the_front_page_leads_a_browser_to_all_there_is(client: httpx.Client) -> None:
    page = client.get("/", headers=BROWSER)
    assert page.status_code == 200
    app_urls = [unescape(address) for address in re.findall(r'href="([^"]*)"', page.text)]
    assert {"/schema", "/schema/openapi.json", "/health", "/ready", "/metrics"} < set(app_urls)
    for address in app_urls:
        assert client.get(address.partition("#")[0]).status_code in (200, 503), address
    for path in client.get("/schema/openapi.json").json()["paths"]:
        assert f" {path}</a>" in page.text


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/csv"])
def test_the_front_page_tells_a_program_where_to_go(client: httpx.Client, name: str, accept: str) -> None:
    answer = client.get("/", headers={"accept": accept})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["vary"] == "Accept, Authorization, Cookie"
    told = answer.json()
    assert name in told["name"]
    for what in ("documentation", "openapi", "health", "ready"):
        assert client.get(told[what]).status_code in (200, 503)


@pytest.mark.parametrize(("given", "expected"), DIRECT)
def test_links_to_the_other_app_go_to_the_host_that_was_asked(
    client: httpx.Client, name: str, given: str, expected: str
) -> None:
    host = given.format(PORTS[name]).removeprefix("http://")
    other = expected.format(PORTS[OTHER[name]])
    described = client.get("/schema/openapi.json", headers={"host": host}).json()["info"]["description"]
    assert f"({other}/schema)" in described
    page = client.get("/schema", headers={"host": host})
    assert f"({other}/schema)" in texts(page)[0]
    assert f'data-host="{host}"' in page.text
    assert other not in texts(page)[1]
    assert f'href="{other}/"' in client.get("/", headers=BROWSER | {"host": host}).text


@pytest.mark.parametrize("headers", PROXIED)
def test_there_is_no_link_where_nobody_knows_where_it_leads(
    client: httpx.Client, name: str, headers: dict[str, str]
) -> None:
    given = {header: value.replace("{port}", str(PORTS[name])) for header, value in headers.items()}
    described = client.get("/schema/openapi.json", headers=given).json()["info"]["description"]
    for text in (described, *texts(client.get("/schema", headers=given))):
        assert f"{OTHER[name]} API" in text
        assert "://" not in text
        assert "](" not in text
    front = client.get("/", headers=BROWSER | given).text
    assert "://" not in front


@pytest.mark.parametrize("host", ['a"><script>alert(1)</script>:{}', "a)[b](http://c:{}", "a b:{}"])
def test_a_host_that_is_none_comes_into_no_page(client: httpx.Client, name: str, host: str) -> None:
    for path in ("/", "/schema", "/schema/openapi.json"):
        answer = client.get(path, headers=BROWSER | {"host": host.format(PORTS[name])})
        assert host.partition(":")[0] not in answer.text


def test_links_go_where_the_settings_say(servers: Servers, name: str) -> None:
    setting: Any = {f"{OTHER[name]}_url": "https://shop.example/other/"}
    client = TestClient(
        import_module(f"apps.{name}").create_app(
            msgspec.structs.replace(load(), auth="off", allowed_hosts="*.lan,*.local,*.example", **setting)
        )
    )
    for headers in (
        PROXIED[0],
        PROXIED[2] | {"host": f"127.0.0.1:{PORTS[name]}"},
        {"host": f"analytics.lan:{PORTS[name]}"},
    ):
        page = client.get("/schema", headers=headers)
        assert 'data-host=""' in page.text
        for text in (client.get("/schema/openapi.json", headers=headers).json()["info"]["description"], *texts(page)):
            assert "(https://shop.example/other/schema)" in text
        assert 'href="https://shop.example/other/"' in client.get("/", headers=BROWSER | headers).text


@pytest.mark.parametrize(
    "value", ["shop.example", "ftp://shop.example", "https://", "https://a b", 'https://a"b', "https://a)b"]
)
def test_an_address_that_is_none_is_refused_by_name(value: str) -> None:
    with pytest.raises(SettingsError, match=r"INGESTION_URL is .*: it should be where browsers reach that app"):
        load({"INGESTION_URL": value})
