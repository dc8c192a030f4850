"""Countries: of a proxy's header, of a file of addresses, of timezones, and as others write them."""

from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import pytest

from apps.origins.countries import country_code, country_of_zone
from apps.origins.requests import Countries
from db.settings import Settings, SettingsError
from tests.builders.mmdb import mmdb

GERMANY, FRANCE = "192.0.2.7", "198.51.100.7"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "countries.mmdb"
    records: dict[str, dict[str, Any]] = {
        "192.0.2.0/24": {"country": {"iso_code": "DE"}},
        "198.51.100.0/24": {"country_code": "fr"},
        "203.0.113.0/25": {"registered_country": {"iso_code": "AT"}},
        "203.0.113.128/25": {"asn": "AS64500"},
    }
    path.write_bytes(mmdb(records))
    return path


def scope(client: tuple[str, int] | None) -> dict[str, Any]:
    return {"client": client}


def test_a_file_knows_the_country_of_an_address(file: Path) -> None:
    countries = Countries(Settings(geoip_database=file))
    expected = {
        GERMANY: "DE",
        FRANCE: "FR",
        "203.0.113.1": "AT",
        "203.0.113.200": None,
        "10.0.0.1": None,
        "2001:db8::1": None,
        "testclient": None,
        "": None,
    }
    assert {address: countries.of_address(address) for address in expected} == expected
    assert countries.of_request(scope((GERMANY, 5)), {}) == "DE"
    assert countries.of_request(scope(None), {}) is None


def test_no_file_knows_none() -> None:
    countries = Countries(Settings())
    assert not countries.by_request
    assert countries.of_address(GERMANY) is None
    assert countries.of_request(scope((GERMANY, 5)), {b"cf-ipcountry": b"DE"}) is None


@pytest.mark.parametrize("content", [None, b"", b"countries", mmdb({"192.0.2.0/24": {"a": "b"}})[:40]])
def test_a_file_that_cannot_be_read_is_told_at_the_start(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.mmdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        Countries(Settings(geoip_database=path))
    assert str(refused.value).startswith(f"GEOIP_DATABASE is '{path}': it should be a file of countries")


def test_a_header_is_believed_of_proxies_only_and_goes_before_the_file(file: Path) -> None:
    settings = Settings(country_header="CF-IPCountry", forwarded_allow_ips="10.0.0.0/8", geoip_database=file)
    countries = Countries(settings)
    told = {b"cf-ipcountry": b"FR"}
    assert countries.of_request(scope(("10.1.2.3", 40_000)), told) == "FR"
    # uvicorn puts the client that a proxy names in its place, with the port 0.
    assert countries.of_request(scope((GERMANY, 0)), told) == "FR"
    assert countries.of_request(scope((GERMANY, 40_000)), told) == "DE"
    for unknown in (b"XX", b"T1", b"", b"FRANCE" * 9, b"\xff\xff"):
        assert countries.of_request(scope((GERMANY, 0)), {b"cf-ipcountry": unknown}) == "DE"


@pytest.mark.parametrize(
    ("zone", "country"),
    [
        ("Europe/Berlin", "DE"), ("Europe/Oslo", "NO"), ("America/New_York", "US"), ("Asia/Calcutta", "IN"),
        ("Europe/Kiev", "UA"), ("US/Pacific", "US"), ("America/Coral_Harbour", "CA"), ("Africa/Asmera", "ER"),
        ("America/Argentina/Buenos_Aires", "AR"), ("UTC", None), ("Etc/GMT+1", None), ("CET", None), ("EST", None),
        ("", None), ("europe/berlin", None), (None, None), (7, None), ("x" * 99_999, None),
    ],
)  # fmt: skip
def test_a_timezone_is_in_a_country(zone: Any, country: str | None) -> None:
    assert country_of_zone(zone) == country


def test_almost_all_zones_that_name_a_place_have_one() -> None:
    places = {name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/"))}
    assert not {name for name in places if country_of_zone(name) is None}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("DE", "DE"), ("XX", None), (" de ", "DE"),
        ("Germany", "DE"), ("united states", "US"), ("United Kingdom", "GB"),
        ("UK", "GB"), ("(not set)", None), ("D1", None), ("", None), (None, None), (49, None), ("Ä" * 10_000, None),
    ],
)  # fmt: skip
def test_a_country_is_two_letters_or_its_name(given: Any, code: str | None) -> None:
    assert country_code(given) == code
