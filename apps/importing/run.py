"""One run of `tjra import`: all files, from the first row to the exit code."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import httpx

from apps.events.validation import EventValidator
from apps.importing.dry_run import DryRun
from apps.importing.importer import Deliver, import_source
from apps.importing.progress import Meter
from apps.importing.register import Register
from apps.importing.sender import GIVE_UP_AFTER, TIMEOUT, Sender, Undelivered
from apps.importing.sources import Source
from apps.importing.summary import Summary
from db.settings import Settings

#: The exit code that shells expect after Ctrl-C.
INTERRUPTED = 130

AGAIN = "running it again is safe: no event counts twice"


class Ending(NamedTuple):
    """How a run ended: the exit code, and what to print besides the numbers."""

    tally: Summary
    code: int
    fault: str | None = None
    shown: Sequence[bytes] = ()
    outcome: str | None = None
    """The outcome of the sent events."""


def send(
    sources: Sequence[Source],
    *,
    url: str,
    register: Register,
    key: str | None = None,
    give_up_after: float | None = None,
) -> Ending:
    """Send all events to the ingestion API at `url`, with a key if there is one, and record the import.

    `give_up_after`: seconds without an answer; None: as GIVE_UP_AFTER.
    """
    tally = Summary()
    site = register.site
    with (
        httpx.Client(base_url=url, timeout=TIMEOUT) as client,
        Meter([source.lines for source in sources], tally) as meter,
    ):
        register.begin(sources)
        sender = Sender(client, report=meter.report, give_up_after=give_up_after or GIVE_UP_AFTER, key=key)
        ending = _run(sources, site, tally, sender.deliver, meter.watch, register.import_id)
        register.end(sources, tally, sender.messages)
        meter.report("waiting until all events are stored")
        outcome = "\n".join(filter(None, (sender.without_key, register.outcome(tally))))
        return ending._replace(outcome=outcome or None)


def check(sources: Sequence[Source], *, site: str, settings: Settings) -> Ending:
    """Send nothing: validate all events with the limits of these settings, and show the first valid ones."""
    tally = Summary()
    dry_run = DryRun(EventValidator(settings))
    with Meter([source.lines for source in sources], tally) as meter:
        ending = _run(sources, site, tally, dry_run.deliver, meter.watch)
    return ending._replace(shown=dry_run.shown)


def _run(
    sources: Sequence[Source],
    site: str,
    tally: Summary,
    deliver: Deliver,
    watch: Callable[[], None],
    import_id: str | None = None,
) -> Ending:
    try:
        for source in sources:
            import_source(source, site=site, tally=tally, deliver=deliver, watch=watch, import_id=import_id)
    except KeyboardInterrupt:
        return Ending(tally, INTERRUPTED, f"stopped; {AGAIN}")
    except Undelivered as error:
        return Ending(tally, 1, f"{error}\n{tally.sent:,} rows were sent; {AGAIN}")
    if damages := [source.lines.damage for source in sources if source.lines.damage]:
        return Ending(tally, 1, "\n".join(damages))
    empty = [
        f"{source.lines.name} {'is empty' if source.lines.blank else 'has no rows'}"
        for source in sources
        if not source.lines.rows
    ]
    told = [*empty, tally.refusals] if tally.refused.total else empty
    return Ending(tally, int(tally.failed or len(empty) == len(sources)), "\n".join(told))
