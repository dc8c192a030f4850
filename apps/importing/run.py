"""One run of `tjra import`: all files, from the first row to how it ended."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import httpx

from apps.events.validation import EventValidator
from apps.importing.dry_run import DryRun
from apps.importing.importer import Deliver, import_source
from apps.importing.progress import Meter
from apps.importing.register import Register
from apps.importing.sender import PATIENCE, TIMEOUT, Sender, Undelivered
from apps.importing.sources import Source
from apps.importing.summary import Summary
from db.settings import Settings

#: What a shell expects of a command that Ctrl-C ended.
INTERRUPTED = 130

AGAIN = "running it again is safe: what was sent is not counted twice"


class Ending(NamedTuple):
    """How a run ended: with which exit code, and what is to be said besides the numbers."""

    tally: Summary
    code: int
    fault: str | None = None
    shown: Sequence[bytes] = ()
    outcome: str | None = None
    """What became of the events that were sent."""


def send(sources: Sequence[Source], *, url: str, register: Register) -> Ending:
    """Send all events to the ingestion API at `url`, and have the import remembered."""
    tally = Summary()
    site = register.site
    with (
        httpx.Client(base_url=url, timeout=TIMEOUT) as client,
        Meter([source.lines for source in sources], tally) as meter,
    ):
        register.begin(sources)
        sender = Sender(client, tell=meter.tell, patience=PATIENCE)
        ending = _run(sources, site, tally, sender.deliver, meter.watch, register.import_id)
        register.end(sources, tally, sender.messages)
        meter.tell("waiting until all is stored")
        return ending._replace(outcome=register.outcome(tally))


def rehearse(sources: Sequence[Source], *, site: str, settings: Settings) -> Ending:
    """Send nothing, but check all events under the limits of these settings, and show the first good ones."""
    tally = Summary()
    rehearsal = DryRun(EventValidator(settings))
    with Meter([source.lines for source in sources], tally) as meter:
        ending = _run(sources, site, tally, rehearsal.deliver, meter.watch)
    return ending._replace(shown=rehearsal.shown)


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
    empty = [f"{source.lines.name} is empty" for source in sources if source.lines.blank]
    return Ending(tally, int(tally.failed or len(empty) == len(sources)), "\n".join(empty))
