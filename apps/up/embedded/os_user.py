"""The account that PostgreSQL runs as: it refuses root, who runs it as another, and that one must reach its files."""

import os
import pwd
from pathlib import Path
from typing import NamedTuple

from apps.up.embedded.binaries import CannotStart

#: Tried in this order; the first is there where PostgreSQL itself is installed.
NAMES = ("postgres", "nobody")


class OsUser(NamedTuple):
    """Whom a program runs as."""

    uid: int
    gid: int


def account_for(data: Path) -> OsUser | None:
    """Whom to run PostgreSQL as: None for ourselves; for root the owner of its data, once there is some."""
    if os.geteuid() != 0:
        return None
    if data.exists():
        status = data.stat()
        return OsUser(status.st_uid, status.st_gid)
    for name in NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return OsUser(entry.pw_uid, entry.pw_gid)
    raise CannotStart(f"PostgreSQL does not run as root, and there is no account {' or '.join(NAMES)} to run it as")


def others_reach(path: Path) -> bool:
    """Whether an account that owns nothing here may pass through all folders to this one, or run this program."""
    return all(part.stat().st_mode & 0o001 for part in (path, *path.parents))
