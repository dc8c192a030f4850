"""The first key of a database: a terminal or the data folder gets it, and no file or journal that output goes to."""

from pathlib import Path

from apps.commands.shared.terminal import is_terminal
from apps.up.data_dir import is_of_folder, keep_first_key
from db.access.keys import lacks_admin, provision
from db.settings import Settings

MAKES_ONE = (
    "nobody is an admin yet: `tjra key create NAME --scope admin` makes a key and prints it; ADMIN_KEY is one too"
)


def first_key(database_url: str, settings: Settings) -> str | None:
    """Store the key of ADMIN_KEY, or make the first one if it can be told; return what to tell, if anything."""
    seen = is_terminal()
    if settings.admin_key is None and not seen and not is_of_folder(settings.data_dir, database_url):
        return MAKES_ONE if lacks_admin(database_url) else None
    made = provision(database_url, settings.admin_key)
    if made is None:
        return None
    file = keep_first_key(settings.data_dir, database_url, made)
    return _told(made, file, seen=seen)


def _told(key: str, file: Path | None, *, seen: bool) -> str:
    shown = f"{key}, which is shown this once" if seen else ""
    kept = f"in {file}, which only its owner can read" if file else ""
    return f"the first key, an admin's: {'; '.join(filter(None, (shown, kept)))}"
