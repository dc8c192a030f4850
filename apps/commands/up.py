"""`tjra up`: everything in one command."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from apps.commands.shared.options import settings_with
from apps.commands.shared.terminal import is_terminal
from apps.up.processes.supervisor import Stopped
from apps.up.stack import up

PORT = click.IntRange(0, 65535)


@click.command("up")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder of the data.  [default: .tjra, or DATA_DIR]")
@click.option("--listen-host", help="Address to listen on; 0.0.0.0: all.  [default: 127.0.0.1, or LISTEN_HOST]")
@click.option("--ingestion-port", type=PORT, help="0: any free one.  [default: 3000, or INGESTION_PORT]")
@click.option("--reporting-port", type=PORT, help="0: any free one.  [default: 3001, or REPORTING_PORT]")
@click.option("--worker-port", type=PORT, help="Port of the first worker.  [default: 3002, or WORKER_PORT]")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Worker processes.")
def up_command(workers: int, **options: Any) -> None:
    """Run everything: both apps, the workers, and PostgreSQL or Redis if DATABASE_URL or REDIS_URL is not set."""
    settings = settings_with(options)
    with suppress(Stopped):
        up(settings, workers=workers, report=click.echo, seen=is_terminal())
