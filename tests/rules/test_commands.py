"""Every command of `tjra` is in the README of its room, and every command that is there exists."""

import re
from pathlib import Path

from apps.cli import main

README = Path(__file__).parent.parent.parent / "apps" / "commands" / "README.md"


def test_the_table_has_every_command_and_no_other() -> None:
    rows = [line.split("|")[1] for line in README.read_text().splitlines() if line.startswith("| `tjra ")]
    named = {name for row in rows for name in re.findall(r"`(?:tjra )?([\w-]+)`", row)}
    assert named == set(main.commands)
