"""The folder of a server's Unix socket: the server's folder, or another one if the path is too long or needs quotes."""

import hashlib
import os
import re
import tempfile
from pathlib import Path

#: A socket's path may have 107 bytes (unix(7)), 103 on macOS; this leaves some for the socket's own name.
LONGEST_FOLDER = 80
#: Characters that need no quotes in a list of folders, an address or a setting.
PLAIN = re.compile(r"[\w/.+=@~-]+", re.ASCII)


def socket_folder(folder: Path) -> Path:
    """The folder for the sockets of the server in `folder`; it may not exist yet."""
    run = folder / "run"
    if len(os.fsencode(run)) <= LONGEST_FOLDER and PLAIN.fullmatch(str(run)):
        return run
    return Path(tempfile.gettempdir()) / f"tjra-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"
