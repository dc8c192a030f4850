"""Limits by key and by address: 429, and the headers by which clients keep to them.

https://www.ietf.org/archive/id/draft-ietf-httpapi-ratelimit-headers-09.html
"""

from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Any

from litestar import Request
from litestar.handlers import BaseRouteHandler

from actors.limits.limiter import Limiter, Policy, Standing
from actors.queue.producer import Producer
from apps.access.guard import IDENTITY, Connection
from apps.access.needs import LIMITED
from apps.access.response_headers import add_header
from apps.web.problems import Refusal, refuse
from db.access.scopes import ANYBODY, Identity
from db.settings import Settings

#: Seconds in which a limit's tokens come back.
WINDOW = 60
#: How many times somebody at one address may try to log in within WINDOW; after as many failures the tries come back
#: half as fast, and so on.
LOGINS = 20
#: How many wrong passwords one share link takes from all addresses together, and in how many seconds they come back: as
#: many from networks that try it for the first time, and from those that have used up their FIRST_TRIES. So whoever
#: guesses is slow, however many addresses they have, and yet does not keep others out.
PASSWORDS, FIRST_TRIES, PASSWORD_WINDOW = 60, 3, 3600
#: What a report costs that takes long, in reports that do not.
LONG_COST = 10
#: The part of an address of IPv6 that belongs to one customer, and the largest that one may have.
NETWORK, LARGEST_NETWORK = 64, 48


class Limits:
    """The limits of the reporting app."""

    def __init__(self, producer: Producer, settings: Settings) -> None:
        reports = Policy("reports", settings.reports_per_minute, WINDOW)
        # Without keys nobody is told apart.
        self.reports = Limiter(producer, reports) if reports.size and settings.auth != "off" else None
        self.logins = Limiter(producer, Policy("logins", LOGINS, WINDOW), local=True)
        self.first_tries = Limiter(producer, Policy("first-tries", FIRST_TRIES, PASSWORD_WINDOW), local=True)
        self.passwords = Limiter(producer, Policy("passwords", PASSWORDS, PASSWORD_WINDOW), local=True)


def limits_of(connection: Connection | Request[Any, Any, Any]) -> Limits:
    """The limits of the app that handles this request."""
    found: Limits = connection.app.state.limits
    return found


async def limit(connection: Connection, handler: BaseRouteHandler) -> None:
    """The guard that counts reports by key; after the one that lets through. Raises Refusal (429)."""
    scope: Any = connection.scope
    limiter = limits_of(connection).reports if handler.opt.get(LIMITED) else None
    if limiter is None or IDENTITY not in scope:
        return
    _apply(scope, limiter.policy, await limiter.take(_who(scope[IDENTITY])))


async def charge_long(request: Request[Any, Any, Any]) -> None:
    """Charge what a report costs more because it takes long, which is known only while it runs."""
    scope: Any = request.scope
    limiter = limits_of(request).reports
    if limiter and (standing := await limiter.charge(_who(scope[IDENTITY]), LONG_COST - 1)):
        _tell(scope, limiter.policy, standing)


async def limit_login(request: Request[Any, Any, Any]) -> None:
    """Count a try to log in, by address. Raises Refusal (429)."""
    limiter = limits_of(request).logins
    _apply(request.scope, limiter.policy, await limiter.take(_address(request.scope)))


async def note_failed_login(request: Request[Any, Any, Any]) -> None:
    """Note that a try failed: with many, the next ones have to wait longer."""
    await limits_of(request).logins.failed(_address(request.scope))


def caller(scope: Any) -> str:
    """Who sends a request that the guard has let through: a key or share link with its logins, or else an address."""
    identity: Identity = scope[IDENTITY]
    return f"address {_address(scope)}" if identity is ANYBODY else _who(identity)


class PasswordTry:
    """A try of a share link's password, which costs nothing if it is right."""

    def __init__(self, request: Request[Any, Any, Any], link: Identity) -> None:
        self.limits = limits_of(request)
        self.scope: Any = request.scope
        self.link = _who(link)
        self.network = f"{self.link} {_address(self.scope, LARGEST_NETWORK)}"

    async def take(self) -> None:
        """Count it as a wrong one, which it may be. Raises Refusal (429) if the link takes none now."""
        first = await self.limits.first_tries.take(self.network)
        self.is_first = first is None or first.allowed
        self.bucket = f"{self.link} {'first' if self.is_first else 'again'}"
        _apply(self.scope, self.limits.passwords.policy, await self.limits.passwords.take(self.bucket))

    async def was_right(self) -> None:
        """Give back what it took."""
        await self.limits.passwords.charge(self.bucket, -1)
        if self.is_first:
            await self.limits.first_tries.charge(self.network, -1)


def over(seconds: float, detail: str) -> Refusal:
    """The Refusal (429) of a client that is over a limit, and may come again in so many seconds."""
    wait = max(1, ceil(seconds))
    refusal = refuse(
        HTTPStatus.TOO_MANY_REQUESTS, f"{detail}: try again in {wait} s", headers={"Retry-After": str(wait)}
    )
    refusal.problem.type = "https://iana.org/assignments/http-problem-types#quota-exceeded"
    return refusal


def over_reports(seconds: float) -> Refusal:
    """The Refusal (429) of a key that asks for too many reports."""
    return over(seconds, f"the key asks for more reports than it may; one that takes long costs {LONG_COST}")


def _apply(scope: Any, policy: Policy, standing: Standing | None) -> None:
    if standing is None:
        return
    _tell(scope, policy, standing)
    if not standing.allowed:
        if policy.name == "logins":
            raise over(standing.until_one, "too many tries to log in from this address")
        if policy.name == "passwords":
            raise over(standing.until_one, "too many wrong passwords for this link: try again a little later")
        raise over_reports(standing.until_one)


def _tell(scope: Any, policy: Policy, standing: Standing) -> None:
    add_header(scope, "RateLimit-Policy", f'"{policy.name}";q={policy.size};w={policy.seconds}')
    add_header(scope, "RateLimit", f'"{policy.name}";r={standing.left};t={ceil(standing.until_full)}')


def _who(identity: Identity) -> str:
    return str(identity.key_id or f"user {identity.name}")


def _address(scope: Any, network: int = NETWORK) -> str:
    """Whose address a request comes from; of IPv6 the network."""
    host = (scope["client"] or ("",))[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:  # a Unix socket
        return str(host)
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(IPv6Address(int(address) >> (128 - network) << (128 - network)))
    return str(address)
