"""The path of a request without the prefix under which a proxy serves the app (uvicorn's --root-path)."""

from typing import Any


def own_path(scope: Any) -> str:
    """The path without the proxy's prefix."""
    path, root = scope["path"], scope.get("root_path", "").rstrip("/")
    return str(path.removeprefix(root) if path.startswith(f"{root}/") else path)


def own_raw_path(scope: Any) -> bytes:
    """The same path as sent, still percent-encoded, without the query."""
    path: bytes = scope["raw_path"].partition(b"?")[0]
    root = scope.get("root_path", "").rstrip("/").encode()
    return path.removeprefix(root) if path.startswith(root + b"/") else path
