"""Where a request goes, behind a proxy that serves us under a path of its own (uvicorn's --root-path) or not."""

from typing import Any


def own_path(scope: Any) -> str:
    """The path below that of the proxy."""
    path, root = scope["path"], scope.get("root_path", "").rstrip("/")
    return str(path.removeprefix(root) if path.startswith(f"{root}/") else path)


def own_raw_path(scope: Any) -> bytes:
    """The same as it was sent, without the query."""
    path: bytes = scope["raw_path"].partition(b"?")[0]
    root = scope.get("root_path", "").rstrip("/").encode()
    return path.removeprefix(root) if path.startswith(root + b"/") else path
