"""The progress bar: the share of the files that was read, the rate, and the remaining time."""

from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from apps.importing.files.line_reader import LineReader
from apps.importing.summary import Summary


class Meter:
    """A context that shows the progress on stderr, if that is a terminal; otherwise it writes nothing."""

    def __init__(self, files: Sequence[LineReader], tally: Summary) -> None:
        self.files = files
        self.tally = tally
        console = Console(stderr=True)
        self.bar = Progress(
            BarColumn(bar_width=20),
            TaskProgressColumn(),
            # No markup: an IPv6 address has brackets.
            TextColumn("{task.description}", markup=False),
            TimeRemainingColumn(),
            console=console,
            disable=not console.file.isatty(),
            redirect_stdout=False,
            redirect_stderr=False,
        )
        # The size of a pipe is unknown: then the bar only shows activity.
        total = sum(lines.size for lines in files) if all(lines.regular for lines in files) else None
        self.task = self.bar.add_task("", total=total)

    def __enter__(self) -> "Meter":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.watch()
        self.bar.stop()

    def watch(self) -> None:
        """Update the bar."""
        tally = self.tally
        self.bar.update(
            self.task,
            completed=sum(lines.position() for lines in self.files),
            description=f"{tally.read:,} rows, {tally.rate:,.0f}/s, {tally.refused.total:,} refused",
        )

    def report(self, note: str) -> None:
        """Show why the import waits, until there is progress again."""
        self.bar.update(self.task, description=note)
