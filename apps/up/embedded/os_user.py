"""The OS user that runs PostgreSQL. It refuses root, so root runs it as another user, who must reach its files."""

import os
import pwd
from pathlib import Path
from typing import NamedTuple

from apps.up.embedded.binaries import CannotStart

#: Tried in this order; the first one exists if PostgreSQL is installed on the system.
NAMES = ("postgres", "nobody")


class OsUser(NamedTuple):
    """The user and group that run a program."""

    uid: int
    gid: int


def account_for(data: Path) -> OsUser | None:
    """The user to run PostgreSQL as: None for the current one; for root, the owner of its data if it has any."""
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
    """Whether other users can traverse all folders to this path, and enter it or run it."""
    return all(part.stat().st_mode & 0o001 for part in (path, *path.parents))
