"""The file `.env`: one NAME=value per line, as in python-dotenv, but invalid lines are errors."""

import os
import re
from io import StringIO
from pathlib import Path

from dotenv.parser import Original, parse_stream
from dotenv.variables import parse_variables

#: A value in single quotes is literal, as in a shell.
LITERAL = re.compile(r"\s*(export\s+)?[^=]*=\s*'")


class EnvFileError(SystemExit):
    """The file cannot be read; the message names the line. A SystemExit, as SettingsError."""


def read_env_file(path: Path = Path(".env")) -> dict[str, str]:
    """The values in the file, without empty ones; {} if there is no file. Raises EnvFileError."""
    if not path.is_file():
        return {}
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise EnvFileError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise EnvFileError(f"{path} cannot be read: line {line} is not UTF-8") from None
    values: dict[str, str] = {}
    for binding in parse_stream(StringIO(text)):
        if binding.error:
            # The line is not repeated: it may contain a password.
            raise EnvFileError(f"{path} cannot be read: line {_line(binding.original)} should be NAME=value")
        if binding.key is None or binding.value is None:
            continue
        value = binding.value
        if not LITERAL.match(binding.original.string):
            known = {**os.environ, **values}
            value = "".join(atom.resolve(known) for atom in parse_variables(value))
        values[binding.key] = value
    return {name: value for name, value in values.items() if value}


def _line(original: Original) -> int:
    """The line number of a binding, whose text includes the blank lines above it."""
    text = original.string
    return original.line + text[: len(text) - len(text.lstrip())].count("\n")
