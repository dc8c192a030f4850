"""The broker of this installation, with its middleware; actors and apps import it from here."""

import dramatiq
from dramatiq.middleware import CurrentMessage

from actors.durable.broker import DurableBroker
from actors.durable.encoder import MessagePackEncoder
from actors.durable.heartbeat import Heartbeat
from actors.durable.retries import DurableRetries
from actors.worker.flusher import Flusher
from actors.worker.health import WorkerPort
from actors.worker.postgres import PostgresPool
from actors.worker.process import CheckedStart, Logs, StopWithParent
from db.settings import load

settings = load()
database = PostgresPool(settings)
flusher = Flusher(database)

redis_url = settings.address("redis_url")
broker = DurableBroker(
    redis_url,
    namespace=settings.redis_namespace,
    # Each one starts after those above it and stops before them.
    middleware=[
        StopWithParent(),
        Logs(settings),
        CheckedStart(settings),
        CurrentMessage(),
        DurableRetries(max_retries=5, min_backoff=1_000, max_backoff=60_000),
        database,
        flusher,
    ],
)
heartbeat = Heartbeat(broker)
broker.add_middleware(heartbeat)
broker.add_middleware(WorkerPort(settings, broker, flusher, heartbeat))
dramatiq.set_encoder(MessagePackEncoder())
dramatiq.set_broker(broker)
