"""The broker: Dramatiq on Redis, with fixes for cases in which the stock broker loses or strands messages.

Each case is described at its fix, here and in consumer.py, retries.py and heartbeat.py. The fixes use private parts of
Dramatiq, so its version is pinned.
"""

import ssl
from collections.abc import Callable
from typing import Any
from uuid import UUID

import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.common import current_millis, dq_name
from dramatiq.message import Message
from dramatiq.middleware import Middleware
from redis.backoff import NoBackoff
from redis.retry import Retry
from uuid_utils import uuid7

from actors.durable.consumer import DurableConsumer, redis_errors
from db.settings import SettingsError

#: Milliseconds without a heartbeat after which a worker's messages go to other workers.
HEARTBEAT_TIMEOUT = 10_000
#: Milliseconds after which Redis drops maintenance messages that failed for good. Event messages never get there: they
#: become dead letters in PostgreSQL.
DEAD_MESSAGE_TTL = 7 * 24 * 60 * 60 * 1000
#: Seconds within which Redis has to respond to a command. It stalls while it forks to rewrite its log.
SOCKET_TIMEOUT = 5
#: No password or a wrong one, or a user without the permissions that we need.
REFUSED = (redis.AuthenticationError, redis.exceptions.AuthorizationError, redis.exceptions.NoPermissionError)


class DurableBroker(RedisBroker):
    """A RedisBroker that keeps each message until it is acknowledged or dead-lettered."""

    def __init__(
        self,
        url: str,
        *,
        namespace: str,
        middleware: list[Middleware],
        socket_timeout: float = SOCKET_TIMEOUT,
        heartbeat_timeout: int = HEARTBEAT_TIMEOUT,
    ) -> None:
        #: As SOCKET_TIMEOUT, for all clients of this broker's Redis.
        self.socket_timeout = socket_timeout
        #: For each queue, the Redis ids of the messages that this process has fetched and not acknowledged.
        self.held: dict[str, set[str]] = {}
        #: For some queues, a function that dead-letters a message that failed for good (the message, the reason). It
        #: returns once that is guaranteed. Other queues' failed messages become Dramatiq's own dead letters in Redis.
        self.file_dead: dict[str, Callable[[bytes, str], object]] = {}
        #: For each queue, when its consumer was last active, by `time.monotonic`.
        self.seen: dict[str, float] = {}
        #: Whether this process's worker is shutting down.
        self.stopping = False
        super().__init__(  # type: ignore[no-untyped-call]
            client=connect(url, socket_timeout=socket_timeout),
            namespace=namespace,
            middleware=middleware,
            heartbeat_timeout=heartbeat_timeout,
            dead_message_ttl=DEAD_MESSAGE_TTL,
        )

    @property
    def consumer_class(self) -> type[DurableConsumer]:
        return DurableConsumer

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Put a message into the queue. Raises ConnectionClosed if Redis did not confirm it."""
        # As in the stock broker, except that each call uses a new id.
        message = message.copy(options={"redis_message_id": new_id()})
        queue_name = message.queue_name
        if delay is not None:
            queue_name = dq_name(queue_name)
            message = message.copy(queue_name=queue_name, options={"eta": current_millis() + delay})
        self.emit_before("enqueue", message, delay)
        with redis_errors():
            self.do_enqueue(queue_name, message.options["redis_message_id"], message.encode())
        self.emit_after("enqueue", message, delay)
        return message

    def maintain(self, queue_name: str) -> None:
        """Write this process's heartbeat, and requeue what dead workers had fetched from this queue."""
        self.do_qsize(queue_name)

    def _should_do_maintenance(self, command: str) -> int:
        # The stock broker does maintenance at random commands: a dead worker's messages could wait for many minutes.
        return int(command == "qsize")


def new_id() -> str:
    """A Redis id for a message: a UUIDv7, which carries the message's age."""
    return str(uuid7())


def id_millis(redis_id: str) -> int:
    """When an id of new_id was made, in milliseconds since 1970."""
    return UUID(redis_id).int >> 80


def connect(url: str, *, socket_timeout: float = SOCKET_TIMEOUT) -> redis.Redis:
    """A client that never repeats a command.

    By default redis-py repeats a command whose reply was lost; enqueueing is not idempotent.
    """
    try:
        client = redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0), **socket_options(url, socket_timeout))
        client.connection_pool.make_connection()  # not connected yet: it only takes the options
    except (TypeError, ValueError) as error:
        raise SettingsError(f"REDIS_URL has an option that cannot be used: {error}") from None
    return client


def socket_options(url: str, timeout: float) -> dict[str, Any]:
    """Options by which a client notices that Redis is gone."""
    options: dict[str, Any] = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
    return options if url.startswith("unix:") else options | {"socket_keepalive": True}


def probe(url: str) -> None:
    """Raise an error of Redis unless it is available and runs our commands."""
    client = connect(url)
    try:
        client.eval("return redis.call('time')", 0)
    finally:
        client.close()


def refusal(url: str) -> str | None:
    """Why Redis refuses us permanently; None if it accepts us, or is not up yet."""
    try:
        probe(url)
    except REFUSED as error:
        if "HELLO must be called" in str(error):  # redis-py's error for a missing password
            error = redis.AuthenticationError("it requires a password, and none is set")
        return f"Redis refuses what REDIS_URL (or REDIS_HOST) says: {error}"
    except redis.ConnectionError as error:
        if url.startswith("rediss:") and (reason := _tls_fault(error)):
            return f"Redis cannot be trusted as REDIS_URL (or REDIS_CA_CERT) says: {reason}"
    except redis.ResponseError as error:
        if "DB index" in str(error):
            return f"Redis has no such database as REDIS_URL says: {error}"
    except redis.RedisError:
        pass
    return None


def _tls_fault(error: BaseException | None) -> str | None:
    """Why a connection over TLS was given up; None if that is not what is wrong."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        if isinstance(error, ssl.SSLError):
            return f"TLS failed: {error.reason or error}"
        if isinstance(error, (FileNotFoundError, PermissionError)):
            return f"the file of certificates cannot be read: {error.strerror}"
        error = error.__cause__ or error.__context__
    return None
