"""Where a server's Unix socket is: in the server's folder, or elsewhere if its address would be too long or odd."""

import hashlib
import os
import re
import tempfile
from pathlib import Path

#: A socket's address has room for 107 bytes (unix(7)), 103 on macOS; this leaves some for the socket's own name.
LONGEST_FOLDER = 80
#: What no list of folders is split at, and no address or setting has to quote.
PLAIN = re.compile(r"[\w/.+=@~-]+", re.ASCII)


def socket_folder(folder: Path) -> Path:
    """A folder for the sockets of the server in `folder`; not made yet."""
    run = folder / "run"
    if len(os.fsencode(run)) <= LONGEST_FOLDER and PLAIN.fullmatch(str(run)):
        return run
    return Path(tempfile.gettempdir()) / f"tjra-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"
