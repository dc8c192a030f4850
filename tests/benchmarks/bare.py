"""A bare ASGI app: what uvicorn can do with an app that reads the body and gives one constant answer."""

from typing import Any

BODY = b'{"status":"queued","message":"Event received and queued for processing","event_id":"%b"}' % (b"0" * 36)
START = {
    "type": "http.response.start",
    "status": 202,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))],
}
END = {"type": "http.response.body", "body": BODY, "more_body": False}


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer everything."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    while (await receive()).get("more_body"):
        pass
    await send(START)
    await send(END)
