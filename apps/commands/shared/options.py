"""The settings of a command."""

from typing import Any

import msgspec

from db.logs import configure
from db.settings import Settings, load


def settings_with(options: dict[str, Any]) -> Settings:
    """The settings, overridden by the command's options. Configures logging with them."""
    settings = load()
    given = {name: value for name, value in options.items() if value is not None}
    settings = msgspec.structs.replace(settings, **given)
    configure(settings)
    return settings
