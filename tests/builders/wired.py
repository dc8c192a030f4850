"""A command of `tjra` with other parts than its own: `invoke(wired("import", give_up_after=0.2), ["import", ...])`."""

from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any, cast

import click

from apps.cli import main


def wired(name: str, **parts: Any) -> click.Group:
    """`tjra`, whose command of this name gets these keyword arguments besides its options."""
    command, group = copy(main.commands[name]), copy(main)
    command.callback = partial(cast("Callable[..., Any]", command.callback), **parts)
    group.commands = {**main.commands, name: command}
    return group
