"""The key of an admin, new in each session: `httpx.get(..., headers=AUTHORIZED)`, or BEARER as a line of a
request."""

from db.access.tokens import new_key

ADMIN_KEY = new_key("a")
AUTHORIZED = {"Authorization": f"Bearer {ADMIN_KEY}"}
BEARER = f"Authorization: Bearer {ADMIN_KEY}"
