"""`tjra site`: registered sites and their settings. It needs PostgreSQL alone."""

from typing import TYPE_CHECKING, Any

import click
import msgspec
from msgspec import UNSET

from apps.commands.shared.database import database
from apps.commands.shared.resources import run
from apps.commands.shared.terminal import between, print_table, printable
from db.access import audit
from db.connections.pools import ReadConnection
from db.events.errors import struct_error
from db.events.limits import text_fault
from db.settings import load
from db.sites import retention, settings, timezones
from db.sites.settings import Changes, SiteSettings

if TYPE_CHECKING:
    from apps.reporting_resources import ReportingResources

NONE = "none"


@click.group("site")
def site_command() -> None:
    """Sites that are set up: with SITES=registered only these may send events."""


@site_command.command("list")
def list_command() -> None:
    """List the registered sites."""
    rows = [(site.site_id, *_texts(site)) for site in _on_database(settings.registered)]
    print_table(("site", "name", "timezone", "origins", "currency", "orders count", "retention"), rows)


@site_command.command("show")
@click.argument("site_id")
def show_command(site_id: str) -> None:
    """Print the settings of SITE_ID."""

    async def read(conn: ReadConnection) -> SiteSettings | None:
        return await settings.settings_of(conn, site_id)

    found = _on_database(read)
    if found is None:
        raise click.ClickException(f"the site {site_id!r} is not registered")
    names = ("name", "timezone", "origins", "currency", "orders count", "retention")
    for name, text in zip(names, _texts(found), strict=True):
        click.echo(f"{name}: {printable(text)}")


@site_command.command("set")
@click.argument("site_id")
@click.option("--name", help="A name for people.")
@click.option("--timezone", "zone", metavar="IANA", help="The timezone of its days, such as Europe/Berlin.")
@click.option(
    "--origin",
    "origins",
    multiple=True,
    metavar="URL",
    help=f"A page that may send its events, as https://shop.example; may be repeated. {NONE}: as CORS_ORIGINS says.",
)
@click.option("--currency", metavar="EUR", help=f"What a sale without currency is in. {NONE}: it is not counted.")
@click.option(
    "--secret-orders/--public-orders", default=None,
    help="Whether orders and refunds count only if they were sent with a secret write key (scope events:write).",
)  # fmt: skip
@click.option(
    "--retention-days", metavar="N",
    help="Days after which its events expire; its numbers stay. Only fewer than RETENTION_DAYS have an effect. "
    f"{NONE}: as RETENTION_DAYS says.",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Do not ask for confirmation where events will be deleted.")
def set_command(
    site_id: str,
    name: str | None,
    zone: str | None,
    origins: tuple[str, ...],
    currency: str | None,
    secret_orders: bool | None,
    retention_days: str | None,
    yes: bool,
) -> None:
    """Register SITE_ID, or change its settings: options that are left out change nothing."""
    if fault := text_fault("site_id", site_id):
        raise click.BadParameter(fault, param_hint="'SITE_ID'")
    given = {
        "name": UNSET if name is None else name,
        "origins": (None if origins == (NONE,) else list(origins)) if origins else UNSET,
        "currency": UNSET if currency is None else None if currency == NONE else currency,
        "secret_orders": UNSET if secret_orders is None else secret_orders,
        "retention_days": UNSET if retention_days is None else _days(retention_days),
    }
    try:
        changes = msgspec.convert({name: value for name, value in given.items() if value is not UNSET}, Changes)
    except msgspec.ValidationError as error:
        wrong = struct_error(error, Changes)
        raise click.UsageError(f"{wrong.field} {wrong.reason}; allowed: {wrong.allowed}") from None
    if zone is not None:
        with database() as conn:
            names = timezones.read_known(conn)
        if zone not in names:
            raise click.BadParameter(timezones.unknown(zone, names), param_hint="'--timezone'")
    days = changes.retention_days if isinstance(changes.retention_days, int) else None
    of_all = load().retention_days
    deletes = days is not None and (of_all is None or days < of_all)
    if days is not None and deletes and not yes:
        _confirm(site_id, days)

    async def put(conn: ReadConnection) -> None:
        async with conn.transaction():
            await settings.put_settings(conn, site_id, changes)
            told = msgspec.to_builtins(changes) | ({} if zone is None else {"timezone": zone})
            await audit.note(conn, audit.COMMAND_LINE, "site.set", {"site_id": site_id, "settings": told})

    _on_database(put)
    if zone is not None:
        with database() as conn:
            timezones.set_timezone(conn, site_id, zone)
    click.echo(f"{site_id} is set; ingestion goes by it within 10 seconds")
    if deletes:
        click.echo("what is older is deleted by the workers, for good; tjra retention --dry-run tells what that is")
    elif days is not None:
        click.echo(f"its retention of {days:,} days has no effect: RETENTION_DAYS is {of_all:,}")


@site_command.command("remove")
@click.argument("site_id")
def remove_command(site_id: str) -> None:
    """Remove the registration of SITE_ID with its settings; its data stay (`tjra delete` deletes them)."""

    async def remove(conn: ReadConnection) -> bool:
        async with conn.transaction():
            removed = await settings.remove_settings(conn, site_id)
            if removed:
                await audit.note(conn, audit.COMMAND_LINE, "site.remove", {"site_id": site_id})
        return removed

    if not _on_database(remove):
        raise click.ClickException(f"the site {site_id!r} is not registered")
    click.echo(f"{site_id} is not registered any more")


def _texts(site: SiteSettings) -> list[str]:
    origins = "as CORS_ORIGINS says" if site.origins is None else ", ".join(site.origins) or "no page"
    orders = "with a secret key" if site.secret_orders else "all"
    retention = "as RETENTION_DAYS says" if site.retention_days is None else f"{site.retention_days:,} days"
    return [site.name, site.timezone, origins, site.currency or NONE, orders, retention]


def _days(given: str) -> Any:
    """A number of days as it was given; what is none is refused with the other settings."""
    return None if given == NONE else int(given) if given.isascii() and given.isdigit() else given


def _confirm(site_id: str, days: int) -> None:
    """Ask before a retention by which events will be deleted."""
    with database() as conn:
        older = retention.older_events(conn, site_id, days=days)
    if older.events:
        there = f"{older.events:,} events{between(older.first_event, older.last_event)}"
        click.echo(f"{printable(site_id)} has {there}: older than {days:,} days, they will be deleted for good")
        click.confirm("Continue?", abort=True)


def _on_database(work: Any) -> Any:
    async def read(resources: "ReportingResources") -> Any:
        return await resources.read(work)

    return run(read)
