"""`tjra key`: create, list, rotate and revoke keys. It needs PostgreSQL alone: who has it is never locked out."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click
import msgspec

from apps.commands.shared.resources import run
from apps.commands.shared.terminal import ask_password, print_table, printable
from db.access import audit, keys, shares
from db.access.keys import Key, NewKey
from db.access.scopes import ALLOWS, Scope
from db.access.shares import NewShare
from db.access.tokens import new_key
from db.connections.pools import ReadConnection
from db.events.errors import struct_error
from db.settings import load

if TYPE_CHECKING:
    from apps.reporting_resources import ReportingResources

UNITS = {"h": "hours", "d": "days", "w": "weeks"}


class Span(click.ParamType[timedelta]):
    """A span of time such as 90d or 12h."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"([0-9]{1,5})([hdw])", value)
        if not found:
            self.fail(f"{value!r} should be a number of hours, days or weeks, such as 12h, 90d or 8w", param, ctx)
        return timedelta(**{UNITS[found[2]]: int(found[1])})


NAMES = [scope.value for scope in Scope]
SCOPES = "; ".join(f"{scope}: {text}" for scope, text in ALLOWS.items())


@click.group("key")
def key_command() -> None:
    """Keys: who may read reports, send events as the shop, operate, administer."""


@key_command.command("new")
def new_command() -> None:
    """Print a new key that is nowhere stored, for the setting ADMIN_KEY."""
    click.echo(new_key("a"))


@key_command.command("create", help=f"Create a key named NAME and print its secret, once. Scopes: {SCOPES}.")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="May be repeated.",
)
@click.option("--site", "sites", multiple=True, metavar="ID", help="Only this site; may be repeated.  [default: all]")
@click.option("--expires", type=Span(), help="When it ends, from now: 12h, 90d, 8w.  [default: never]")
def create_command(name: str, scopes: tuple[str, ...], sites: tuple[str, ...], expires: timedelta | None) -> None:
    new = NewKey(
        name=name,
        scopes=[Scope(scope) for scope in scopes],
        sites=list(sites) or None,
        expires_at=None if expires is None else datetime.now(UTC) + expires,
    )

    async def create(conn: ReadConnection) -> tuple[Key, str]:
        async with conn.transaction():
            key, secret = await keys.create_key(conn, new, by=audit.COMMAND_LINE)
            await audit.note(conn, audit.COMMAND_LINE, "key.create", keys.told(key))
        return key, secret

    _print(*_on_database(create))


@key_command.command("share")
@click.argument("name")
@click.option("--site", "site_id", required=True, metavar="ID", help="The site whose reports it shows.")
@click.option("--expires", type=Span(), default="90d", show_default=True, help="When it ends, from now: 12h, 90d, 8w.")
@click.option("--password", is_flag=True, help="Ask for a password that the link then asks for.")
def share_command(name: str, site_id: str, expires: timedelta, password: bool) -> None:
    """Create a link named NAME that shows the reports of a site, and print it, once. It shows no ids of people."""
    text = ask_password() if password else None
    given = {"name": name, "site_id": site_id, "expires_at": datetime.now(UTC) + expires, "password": text}
    try:
        new = msgspec.convert(given, NewShare)
    except msgspec.ValidationError as error:
        fault = struct_error(error, NewShare)
        raise click.ClickException(f"{fault.field} {fault.reason}; allowed: {fault.allowed}") from None
    hashed = shares.stored_password(new)

    async def create(conn: ReadConnection) -> tuple[Key, str]:
        return await shares.create_share(conn, new, password=hashed, by=audit.COMMAND_LINE)

    settings = load()
    host = (settings.reporting_url or f"http://127.0.0.1:{settings.reporting_port}").rstrip("/")
    key, path = _on_database(create)
    _print(key, host + path)


@key_command.command("list")
def list_command() -> None:
    """List all keys, also those that are revoked or have expired, without their secrets."""
    rows = []
    for key in _on_database(keys.list_keys):
        used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
        sites = "all" if key.sites is None else ", ".join(key.sites)
        rows.append((str(key.id), f"{key.prefix}...", key.name, ", ".join(key.scopes), sites, _state(key), used))
    print_table(("id", "key", "name", "scopes", "sites", "state", "last used"), rows, whole=("id",))


@key_command.command("revoke")
@click.argument("key_id", type=click.UUID)
def revoke_command(key_id: UUID) -> None:
    """Revoke the key KEY_ID: in every process it is dead within 10 seconds, and its logins with it."""

    async def revoke(conn: ReadConnection) -> tuple[bool, list[Key]]:
        async with conn.transaction():
            revoked = await keys.revoke_key(conn, key_id)
            if revoked:
                await audit.note(conn, audit.COMMAND_LINE, "key.revoke", {"key": key_id})
            return revoked, await keys.list_keys(conn, key_id)

    revoked, found = _on_database(revoke)
    if not found:
        raise click.ClickException(f"there is no key {key_id}; `tjra key list` shows them")
    click.echo(f"{printable(found[0].name)} {'is revoked' if revoked else 'was revoked before'}")


@key_command.command("rotate")
@click.argument("key_id", type=click.UUID)
@click.option("--overlap", type=Span(), default="24h", show_default=True, help="How long the old secret stays valid.")
def rotate_command(key_id: UUID, overlap: timedelta) -> None:
    """Create a key like KEY_ID and print its secret, once; the old one expires after the overlap."""

    async def rotate(conn: ReadConnection) -> tuple[Key, str, datetime] | None:
        async with conn.transaction():
            rotated = await keys.rotate_key(conn, key_id, overlap=overlap, by=audit.COMMAND_LINE)
            if rotated:
                await audit.note(conn, audit.COMMAND_LINE, "key.rotate", {"key": key_id, "new": rotated[0].id})
        return rotated

    rotated = _on_database(rotate)
    if rotated is None:
        raise click.ClickException(f"there is no valid key {key_id}; `tjra key list` shows them")
    key, secret, old_until = rotated
    _print(key, secret)
    click.echo(f"the old one is valid until {old_until.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC", err=True)
    if key.expires_at:
        click.echo(f"the new one, as the old one was to be, until {key.expires_at:%Y-%m-%d %H:%M:%S} UTC", err=True)


def _print(key: Key, secret: str) -> None:
    """Print a new secret, alone on standard output for scripts, and the id by which it can be revoked."""
    click.echo(secret)
    click.echo(f"its id, for `tjra key revoke`: {key.id}", err=True)


def _state(key: Key) -> str:
    if key.revoked_at:
        return "revoked"
    if key.expires_at is None:
        return "valid"
    return f"{'valid until' if key.is_valid(datetime.now(UTC)) else 'expired'} {key.expires_at:%Y-%m-%d %H:%M}"


def _on_database(work: Any) -> Any:
    async def read(resources: "ReportingResources") -> Any:
        return await resources.read(work)

    return run(read)
