"""The secret that a request carries: a key in `Authorization: Bearer`, or the login in its cookie."""

import binascii
from base64 import b64decode
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any, Literal, NamedTuple

from apps.web.problems import Refusal, refuse

#: The cookie of a login. With the prefix no other host or page of http can set it, but browsers want https for that.
SECURE_COOKIE, PLAIN_COOKIE = "__Host-tjra", "tjra"
#: Seconds for which the browser keeps it; the server decides when the login ends.
COOKIE_SECONDS = 90 * 86_400
LONGEST = 200
REALM = 'Bearer realm="tjra"'


class Credential(NamedTuple):
    """A secret, and where it came from."""

    kind: Literal["key", "login"]
    secret: str


def credential_of(scope: Any) -> Credential | None:
    """The credential of a request, or None. A key goes before a cookie. Raises Refusal (400, 401)."""
    cookies = []
    keys = []
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, secret = value.decode("latin-1").partition(" ")
            if scheme.lower() == "bearer":  # a proxy in between may want credentials of another scheme
                keys.append(secret.strip())
        elif name == b"cookie":
            cookies.append(value.decode("latin-1"))
    if len(keys) > 1 or keys == [""]:
        raise malformed()
    if keys:
        return Credential("key", keys[0])
    login = _cookie("; ".join(cookies), cookie_name(scope))
    return Credential("login", login) if login else None


def cookie_name(scope: Any) -> str:
    """The name of the cookie on a connection like this."""
    return SECURE_COOKIE if scope["scheme"] == "https" else PLAIN_COOKIE


def set_cookie(scope: Any, secret: str) -> str:
    """The header Set-Cookie with a login, or without one, which deletes it."""
    secure = "; Secure" if scope["scheme"] == "https" else ""
    seconds = COOKIE_SECONDS if secret else 0
    return f"{cookie_name(scope)}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def basic_pair(credentials: str) -> tuple[str, str]:
    """The user and the password of basic authorization, which may be empty."""
    try:
        user, _, password = b64decode(credentials).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return "", ""
    return user, password


def is_from_our_page(scope: Any) -> bool:
    """Whether a request with a cookie comes from a page of ours, and not from one that makes a browser send it."""
    return _origin(scope) == "ours"


def is_from_another_page(scope: Any) -> bool:
    """Whether a request comes from a page of another origin; programs say nothing of a page."""
    return _origin(scope) == "another"


def _origin(scope: Any) -> Literal["ours", "another", "none"]:
    """The page that a browser says a request comes from (https://www.w3.org/TR/fetch-metadata/)."""
    headers = {name: value for name, value in scope["headers"] if name in (b"sec-fetch-site", b"origin", b"host")}
    if site := headers.get(b"sec-fetch-site"):
        return "ours" if site == b"same-origin" else "another"
    if origin := headers.get(b"origin"):
        return "ours" if origin == scope["scheme"].encode() + b"://" + headers.get(b"host", b"") else "another"
    return "none"


def malformed() -> Refusal:
    """The Refusal (400) of credentials that cannot be read (RFC 6750, section 3.1)."""
    return refuse(
        HTTPStatus.BAD_REQUEST,
        "the header Authorization should be `Bearer` and one key",
        headers={"WWW-Authenticate": f'{REALM}, error="invalid_request"'},
    )


def missing() -> Refusal:
    """The Refusal (401) of a request without a key."""
    return refuse(
        HTTPStatus.UNAUTHORIZED,
        "a key is needed: `Authorization: Bearer tjra_...`, or a login at /login",
        headers={"WWW-Authenticate": REALM},
    )


def invalid(hint: str = "") -> Refusal:
    """The Refusal (401) of a key or login that is not valid, whatever the reason."""
    return refuse(
        HTTPStatus.UNAUTHORIZED,
        f"the key or login is not valid: unknown, expired or revoked{hint}",
        headers={"WWW-Authenticate": f'{REALM}, error="invalid_token"'},
    )


def insufficient(detail: str, scope: str) -> Refusal:
    """The Refusal (403) of a key that does not allow it."""
    return refuse(
        HTTPStatus.FORBIDDEN,
        detail,
        headers={"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{scope}"'},
    )


def _cookie(text: str, name: str) -> str | None:
    try:
        found = SimpleCookie(text).get(name)
    except CookieError:
        return None
    return found.value if found and len(found.value) <= LONGEST else None
