"""Lines of access logs become page views, or are passed over."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from apps.importing.files.line_reader import LineReader
from apps.importing.importer import import_source
from apps.importing.rows.mapping import Mapping
from apps.importing.sources import open_source
from apps.importing.summary import Summary

AGENT = "Mozilla/5.0 (X11; Linux x86_64)"


def line(
    request: str = "GET / HTTP/1.1",
    *,
    status: int = 200,
    referrer: str = "-",
    agent: str = AGENT,
    host: str = "192.0.2.7",
    time: str = "10/Oct/2025:13:55:36 -0700",
) -> str:
    return f'{host} - - [{time}] "{request}" {status} 123 "{referrer}" "{agent}"\n'


@pytest.fixture
def import_log(tmp_path: Path) -> Any:
    def read(
        *lines: str, all_requests: bool = False, site: str = "shop", bots: str = "drop"
    ) -> tuple[list[dict[str, Any]], Summary]:
        path = tmp_path / "access.log"
        path.write_text("".join(lines), encoding="latin-1")
        events: list[dict[str, Any]] = []
        tally = Summary()

        def deliver(batch: Any) -> list[Any]:
            events.extend(map(msgspec.json.decode, batch))
            return []

        with LineReader(path) as opened:
            source = open_source(opened, "combined", site=site, mapping=Mapping(), all_requests=all_requests, bots=bots)
            import_source(source, site=site, tally=tally, deliver=deliver, watch=lambda: None)
        return events, tally

    return read


def test_a_page_view_has_a_path_a_user_and_what_else_the_line_says(import_log: Any) -> None:
    ((event,), _) = import_log(line("GET /lamps?page=2 HTTP/1.1", referrer="https://search.example/"))
    assert len(event.pop("event_id")) == 36
    assert event == {
        "site_id": "shop",
        "event_type": "page_view",
        "path": "/lamps",
        "timestamp": "2025-10-10T20:55:36Z",
        # printf 'shop\000192.0.2.7\000Mozilla/5.0 (X11; Linux x86_64)' | sha256sum
        "visitor_id": "74edb6c8fc9a9fb67c865b56689dc4ca",
        "agent": {"device": "desktop", "os": "Linux"},
        "properties": {"status": 200, "referrer": "https://search.example/", "user_agent": AGENT},
    }


def test_a_user_is_an_address_and_a_program_at_one_site_and_the_address_is_not_sent(import_log: Any) -> None:
    lines = [line(), line(host="192.0.2.8"), line(agent="other"), line("GET /lamps HTTP/1.1")]
    here, _ = import_log(*lines)
    there, _ = import_log(*lines, site="other")
    users = [event["visitor_id"] for event in here + there]
    assert users[0] == users[3]
    assert len(set(users)) == 6
    assert "192.0.2" not in str(here)


def test_only_page_views_are_imported_and_the_rest_is_counted(import_log: Any) -> None:
    events, tally = import_log(
        line(),
        line(status=304),
        line("POST /login HTTP/1.1"),
        line("HEAD / HTTP/1.1"),
        line(status=404),
        line(status=301),
        line("GET /theme/style.CSS?v=3 HTTP/1.1"),
        line("GET /robots.txt HTTP/1.1"),
        line("GET /favicon.ico HTTP/1.1"),
        line("-", status=408),
        line(r"\x16\x03\x01\x00\xfc\x01", status=400),
        line(r"\x16\x03 /\x01 HTTP/1.1", status=400),
        line("OPTIONS * HTTP/1.0"),
        line("CONNECT shop.example:443 HTTP/1.1", status=405),
        line(""),
    )
    assert [event["properties"]["status"] for event in events] == [200, 304]
    assert tally.skipped.counts == {
        "method: not GET": 2,
        "status: not 200 to 299 or 304": 2,
        "static file: not a page": 3,
        "no request for a path": 6,
    }
    assert tally.skipped.examples["static file: not a page"] == "access.log line 7"
    assert not tally.failed


def test_all_requests_are_imported_on_demand(import_log: Any) -> None:
    events, tally = import_log(
        line(), line("POST /login HTTP/1.1", status=302), line("GET /a.css HTTP/1.1"), line("-"), all_requests=True
    )
    assert [(event["event_type"], event["path"], event["properties"].get("method")) for event in events] == [
        ("page_view", "/", None),
        ("request", "/login", "POST"),
        ("request", "/a.css", "GET"),
    ]
    assert tally.skipped.counts == {"no request for a path": 1}


@pytest.mark.parametrize(
    ("request_line", "path"),
    [
        ("GET http://shop.example/lamps?page=2 HTTP/1.1", "/lamps"),
        ("GET http://shop.example HTTP/1.1", "/"),
        ("GET /a lamp HTTP/1.1", "/a lamp"),
        ("GET /old", "/old"),
        ("GET //lamps HTTP/2.0", "//lamps"),
        (r"GET /\"quoted\" HTTP/1.1", '/"quoted"'),  # as Apache writes it
        (r"GET /\x22quoted\x22\x5C HTTP/1.1", '/"quoted"\\'),  # as nginx does
        (r"GET /caf\xC3\xA9/\xe2\x82\xac HTTP/1.1", "/café/€"),
        (r"GET /caf\xE9\x00 HTTP/1.1", r"/caf\xE9\x00"),  # no UTF-8, or no text
        (r"GET /a\\xC3\xA9 HTTP/1.1", "/a\\xC3" + r"\xA9"),
    ],
)
def test_the_path_is_that_of_the_target(import_log: Any, request_line: str, path: str) -> None:
    ((event,), _) = import_log(line(request_line))
    assert event["path"] == path


def test_quotes_in_the_agent_are_read_and_what_is_not_utf_8_is_replaced(import_log: Any) -> None:
    events, _ = import_log(line(agent=r"a \"quoted\" \\ agent \x00"), line(agent="caf\xe9"), line(agent="-"))
    assert [event["properties"].get("user_agent") for event in events] == [
        r'a "quoted" \ agent \x00', "caf\ufffd", None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("host", "address", "name"),
    [
        ("218.108.232.188, 10.183.250.139", "218.108.232.188", None),
        ("218.108.232.188,10.183.250.139, 10.0.0.1", "218.108.232.188", None),
        ("2001:db8::1", "2001:db8::1", None),
        ("shop.example:443 203.0.113.7", "203.0.113.7", "shop.example"),
        ("shop.example:8080 203.0.113.7, 10.0.0.1", "203.0.113.7", "shop.example:8080"),
        ("-", "-", None),
    ],
)
def test_the_visitor_is_the_first_address_whatever_is_before_it(
    import_log: Any, host: str, address: str, name: str | None
) -> None:
    ((event,), _) = import_log(line(host=host))
    ((plain,), _) = import_log(line(host=address))
    assert (event["visitor_id"], event["properties"].get("host")) == (plain["visitor_id"], name)
    assert address == "-" or address not in str(event)


def test_bots_are_dropped_and_counted_or_marked_or_kept(import_log: Any) -> None:
    lines = [line(), line(agent="Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")]
    events, tally = import_log(*lines)
    assert (len(events), tally.skipped.counts) == (1, {"bot, by its user agent (--bots keep imports them)": 1})
    for bots, expected in (("mark", [None, True]), ("keep", [None, None])):
        events, _ = import_log(*lines, bots=bots)
        assert [event["properties"].get("bot") for event in events] == expected


def test_what_servers_append_to_the_format_is_ignored(import_log: Any) -> None:
    events, _ = import_log(line()[:-1] + ' 0.012 "10.0.0.1, 192.0.2.9"\n')
    assert len(events) == 1
    assert "192.0.2.9" not in str(events)


def test_lines_that_do_not_parse_are_refused_with_their_numbers(import_log: Any) -> None:
    events, tally = import_log(
        line(),
        "\n",
        line()[:60] + "\n",
        "shop.example:80 - " + line(),
        line(time="10/Okt/2025:13:55:36 -0700"),
        line(time="31/Feb/2025:13:55:36 -0700"),
        line(time="10/Oct/2025:25:55:36 -0700"),
    )
    assert len(events) == 1
    assert tally.refused.counts == {
        "it is not a line of the combined log format": 2,
        "its time is not like 10/Oct/2000:13:55:36 -0700": 3,
    }
    assert list(tally.refused.examples.values()) == ["access.log line 3", "access.log line 5"]
