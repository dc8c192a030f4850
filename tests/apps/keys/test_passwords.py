"""Passwords of share links: guessing is slow from however many addresses, and keeps nobody out who knows it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from uuid import uuid4

import httpx
import pytest
from litestar.testing import TestClient

from apps.access.limits import FIRST_TRIES, PASSWORD_WINDOW, PASSWORDS
from apps.reporting import create_app
from db.settings import load
from tests.apps.keys.conftest import Share
from tests.servers.serving import Addressed, Served

PASSWORD, WRONG = "correct horse", "wrong horse"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
#: Tries a password for a link from an address.
Try = Callable[..., httpx.Response]


@pytest.fixture
def attempt(database_url: str) -> Iterator[Try]:
    app = create_app(load())
    app.passwords.check = lambda given, _: given == PASSWORD  # the true one takes long
    with TestClient(Addressed(app)) as client:

        def attempt(url: str, password: str, address: str) -> httpx.Response:
            client.cookies.clear()
            return client.post(url, json={"password": password}, headers=SAME_ORIGIN | {"x-address": address})

        yield attempt


@pytest.fixture
def network() -> Callable[[], str]:
    """Makes prefixes of networks that nobody else has."""
    own, numbers = uuid4().hex[:4], count(1)
    return lambda: f"2001:{own}:{next(numbers):x}"


def test_a_link_takes_so_many_wrong_passwords_from_all_addresses_together(
    attempt: Try, share: Share, network: Callable[[], str], shop: str
) -> None:
    url, same = share(shop, password=PASSWORD), share(shop, password=PASSWORD)
    found = [attempt(url, WRONG, f"{network()}::1").status_code for _ in range(PASSWORDS)]
    assert set(found) == {403}
    for password in (WRONG, PASSWORD):
        refused = attempt(url, password, f"{network()}::1")
        assert refused.status_code == 429
        assert refused.headers["RateLimit-Policy"] == f'"passwords";q={PASSWORDS};w={PASSWORD_WINDOW}'
        assert 0 < int(refused.headers["Retry-After"]) <= PASSWORD_WINDOW // PASSWORDS
        assert "for this link" in refused.json()["detail"]
    assert attempt(same, PASSWORD, f"{network()}::1").status_code == 200


def test_who_guesses_from_some_networks_keeps_nobody_out_from_others(
    attempt: Try, share: Share, network: Callable[[], str], shop: str
) -> None:
    url = share(shop, password=PASSWORD)
    guessers = [network() for _ in range(10)]
    found: list[int] = []
    for number in range(12):  # each time from another address of each network
        found += (attempt(url, WRONG, f"{guesser}:{number:x}::1").status_code for guesser in guessers)
    allowed = PASSWORDS + FIRST_TRIES * len(guessers)
    assert abs(found.count(403) - allowed) <= 2  # some come back meanwhile
    assert found.count(429) == len(found) - found.count(403)
    assert attempt(url, PASSWORD, f"{network()}::1").status_code == 200


def test_a_right_password_costs_nothing(attempt: Try, share: Share, network: Callable[[], str], shop: str) -> None:
    url, office = share(shop, password=PASSWORD), network()
    found = [attempt(url, PASSWORD, f"{office}:{number:x}::1").status_code for number in range(PASSWORDS + 10)]
    assert set(found) == {200}


def test_many_right_passwords_at_once_wait_for_their_turn(reporting_server: Served, share: Share, shop: str) -> None:
    url = reporting_server.url + share(shop, password=PASSWORD)

    def attempt(_: int) -> int:
        return httpx.post(url, json={"password": PASSWORD}, headers=SAME_ORIGIN, timeout=60).status_code

    with ThreadPoolExecutor(12) as threads:
        assert set(threads.map(attempt, range(12))) == {200}
