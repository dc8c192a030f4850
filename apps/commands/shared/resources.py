"""The resources of the reporting app, for commands that do what its API can do."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from db.connections.pools import probe
from db.settings import load

if TYPE_CHECKING:
    from apps.reporting_resources import ReportingResources

# Importing the apps' and actors' modules reads the settings, which cli.py completes first: so they are imported late.

Result = TypeVar("Result")


def run(work: Callable[["ReportingResources"], Awaitable[Result]], *needs: str) -> Result:
    """Do work that needs PostgreSQL, and also what these settings name."""
    from actors.queue.producer import QueueUnavailable
    from apps.reporting_resources import ReportingResources
    from apps.web.problems import Refusal

    settings = load()
    for name in ("database_url", *needs):
        settings.required(name)

    async def connected() -> Result:
        probe(settings.required("database_url"))  # it says why, where a pool only waits without success
        resources = ReportingResources(settings)
        async with resources.pool:
            try:
                return await work(resources)
            finally:
                await resources.producer.close()

    try:
        return asyncio.run(connected())
    except (Refusal, QueueUnavailable) as error:
        raise click.ClickException(str(error)) from None
