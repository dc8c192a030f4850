"""Where a server's Unix socket is: in the server's folder, or elsewhere if its address would be too long."""

import hashlib
import os
import tempfile
from pathlib import Path

#: A socket's address has room for 107 bytes (unix(7)), 103 on macOS; this leaves some for the socket's own name.
LONGEST_FOLDER = 80


def socket_folder(folder: Path) -> Path:
    """A folder for the sockets of the server in `folder`; not made yet."""
    run = folder / "run"
    if len(os.fsencode(run)) <= LONGEST_FOLDER:
        return run
    return Path(tempfile.gettempdir()) / f"tjra-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"
