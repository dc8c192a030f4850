"""`tjra dead-letters`: what the API can do with dead letters, from the command line."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click
import msgspec

from apps.commands.shared.resources import run
from apps.commands.shared.terminal import print_table
from db.access.audit import COMMAND_LINE
from db.dead_letters.read import DeadLetter, LetterFilter

if TYPE_CHECKING:
    from apps.reporting_resources import ReportingResources

# Importing the apps' and actors' modules reads the settings, which cli.py completes first: so they are imported late.

STATES = click.Choice(["dead", "stored", "duplicate", "discarded"])


@click.group("dead-letters")
def dead_letters() -> None:
    """Events that were accepted and could not be stored: look into them, replay them, discard them."""


def filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which letters are chosen."""
    options = [
        click.option("--state", type=STATES, help="[default: dead]"),
        click.option("--site", "site_id", help="Of this site."),
        click.option("--event-type", help="Of this event type."),
        click.option("--sqlstate", help="With this code of PostgreSQL's, such as 23502."),
        click.option("--error", help="With this text in the error."),
        click.option("--failed-from", help="Failed at or after this time: ISO 8601 with an offset."),
        click.option("--failed-to", help="Failed before this time."),
    ]
    return functools.reduce(lambda decorated, option: option(decorated), reversed(options), command)


@dead_letters.command("list")
@filters
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line.")
def list_command(limit: int, as_json: bool, **which: Any) -> None:
    """List dead letters, the newest failure first."""
    from db.dead_letters.read import list_letters

    async def read(resources: "ReportingResources") -> list[Any]:
        chosen = _filter(which | {"state": which["state"] or "dead"})
        page = await resources.read(functools.partial(list_letters, which=chosen, limit=limit))
        return page.dead_letters

    letters = run(read)
    if as_json:
        for letter in letters:
            click.echo(msgspec.json.encode(letter))
        return
    rows = [
        (
            str(letter.id),
            f"{letter.failed_at:%Y-%m-%d %H:%M:%S}",
            letter.site_id,
            letter.event_type,
            str(letter.attempts),
            letter.error,
        )
        for letter in letters
    ]
    if rows:
        print_table(("id", "failed at", "site", "event type", "tries", "error"), rows)
    else:
        click.echo("no dead letters match")


@dead_letters.command("show")
@click.argument("letter_id", type=click.UUID)
def show_command(letter_id: UUID) -> None:
    """Print a dead letter, its payload included, as JSON."""
    from apps.dead_letters import operations

    _print(run(lambda resources: operations.show(resources, letter_id)))


@dead_letters.command("replay")
@click.argument("letter_id", type=click.UUID, required=False)
@click.option("--event", type=click.File("rb"), help="A file with the event to store in its place; -: standard input.")
@filters
def replay_command(letter_id: UUID | None, event: Any, **which: Any) -> None:
    """Replay the dead letter LETTER_ID, or all (up to 1,000) that the options choose."""
    from apps.dead_letters import operations

    if letter_id:
        body = event.read() if event else None
        letter, _ = run(lambda resources: operations.replay(resources, letter_id, body, by=COMMAND_LINE), "redis_url")
        _print(letter)
    else:
        chosen = _chosen(which, event=event)
        _print(run(lambda resources: operations.replay_all(resources, chosen, by=COMMAND_LINE), "redis_url"))


@dead_letters.command("discard")
@click.argument("letter_id", type=click.UUID, required=False)
@filters
def discard_command(letter_id: UUID | None, **which: Any) -> None:
    """Discard the dead letter LETTER_ID, or all (up to 1,000) that the options choose."""
    from apps.dead_letters import operations

    if letter_id:
        letter, _ = run(lambda resources: operations.discard(resources, letter_id, by=COMMAND_LINE), "redis_url")
        _print(letter)
    else:
        chosen = _chosen(which)
        _print(run(lambda resources: operations.discard_all(resources, chosen, by=COMMAND_LINE), "redis_url"))


def _filter(which: dict[str, Any]) -> LetterFilter:
    try:
        return msgspec.convert({name: value for name, value in which.items() if value is not None}, LetterFilter)
    except msgspec.ValidationError as error:
        raise click.UsageError(str(error)) from None


def _chosen(which: dict[str, Any], *, event: object = None) -> LetterFilter:
    chosen = _filter(which)
    if event or chosen == LetterFilter():
        raise click.UsageError("say which: a LETTER_ID, or options such as --state dead (--event needs a LETTER_ID)")
    return chosen


def _print(result: Any) -> None:
    builtins = msgspec.json.decode(msgspec.json.encode(result))
    if isinstance(result, DeadLetter) and bytes(result.payload) != b"null":
        del builtins["payload_base64"]  # the payload once more
    click.echo(msgspec.json.format(msgspec.json.encode(builtins)))
