"""Everybody who may send a request: with keys of every kind, with a login, and with neither."""

from collections.abc import Sequence
from typing import Any

import httpx
import msgspec
import psycopg

from db.access.keys import Key
from db.access.scopes import Scope
from db.access.tokens import new_key
from tests.servers.key import AUTHORIZED

#: The headers of a request by a page of the app's own.
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


class Caller(msgspec.Struct, kw_only=True):
    """Somebody, and what they may do: None if their credential is not valid."""

    name: str
    headers: dict[str, str]
    scopes: frozenset[str] | None
    sites: Sequence[str] | None = None
    #: Whether the app lets them change something: with a cookie only pages of its own may.
    may_change: bool = True

    def may(self, scope: str) -> bool:
        return self.scopes is not None and (scope in self.scopes or Scope.ADMIN in self.scopes)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def create(reporting: httpx.Client, *scopes: str, sites: Sequence[str] | None = None) -> tuple[Key, str]:
    """A new key and its secret."""
    body: dict[str, Any] = {"name": "a test's", "scopes": scopes} | ({"sites": list(sites)} if sites else {})
    response = reporting.post("/keys", json=body, headers=AUTHORIZED)
    assert response.status_code == 201, response.text
    created = response.json()
    return msgspec.convert(created["key"], Key), created["secret"]


def log_in(reporting: httpx.Client, secret: str) -> dict[str, str]:
    """The header with the cookie of a new login."""
    response = reporting.post("/login", json={"key": secret}, headers={"Authorization": ""})
    assert response.status_code == 200, response.text
    cookie = response.headers["set-cookie"].partition(";")[0]
    reporting.cookies.clear()
    return {"Cookie": cookie}


def expire(conn: psycopg.Connection[Any], key: Key) -> None:
    conn.execute("update keys set expires_at = now() - interval '1 second' where id = %s", [key.id])


def everybody(reporting: httpx.Client, conn: psycopg.Connection[Any], site: str) -> list[Caller]:
    """All kinds of callers; those that are limited are to another site than this one."""
    expired, expired_secret = create(reporting, "admin")
    expire(conn, expired)
    revoked, revoked_secret = create(reporting, "admin")
    assert reporting.delete(f"/keys/{revoked.id}", headers=AUTHORIZED).status_code == 200
    _, admin = create(reporting, "admin")
    _, elsewhere = create(reporting, *Scope, sites=[f"not-{site}"])
    _, here = create(reporting, *(scope for scope in Scope if scope != Scope.ADMIN), sites=[site])
    cookie = log_in(reporting, admin)
    everything = frozenset({*Scope})
    return [
        Caller(name="nobody", headers={"Authorization": ""}, scopes=None),
        Caller(name="a wrong key", headers=bearer(new_key("a")), scopes=None),
        Caller(name="a mistyped key", headers=bearer(admin[:-1] + ("A" if admin[-1] != "A" else "B")), scopes=None),
        Caller(name="not a key", headers=bearer("x" * 5_000), scopes=None),
        Caller(name="an expired key", headers=bearer(expired_secret), scopes=None),
        Caller(name="a revoked key", headers=bearer(revoked_secret), scopes=None),
        Caller(name="a key as a password", headers={"Authorization": f"Basic {admin}"}, scopes=None),
        Caller(name="a wrong cookie", headers={"Authorization": "", "Cookie": f"{cookie['Cookie']}x"}, scopes=None),
        *(
            Caller(name=f"a key for {scope}", headers=bearer(create(reporting, scope)[1]), scopes=frozenset({scope}))
            for scope in Scope
        ),
        Caller(name="all for another site", headers=bearer(elsewhere), scopes=everything, sites=[f"not-{site}"]),
        Caller(name="most for this site", headers=bearer(here), scopes=everything - {Scope.ADMIN}, sites=[site]),
        Caller(name="a login", headers=cookie | {"Authorization": ""} | SAME_ORIGIN, scopes=everything),
        Caller(
            name="another page's request with a login",
            headers=cookie | {"Authorization": "", "Sec-Fetch-Site": "same-site", "Origin": "http://testserver.local"},
            scopes=everything,
            may_change=False,
        ),
        Caller(
            name="an old browser with a login, on another page",
            headers=cookie | {"Authorization": "", "Origin": "https://evil.example"},
            scopes=everything,
            may_change=False,
        ),
        Caller(
            name="a login without a word of where it is from",
            headers=cookie | {"Authorization": ""},
            scopes=everything,
            may_change=False,
        ),
    ]
