"""What happens to a message whose actor raised: it is requeued, retried later, or dead-lettered."""

import logging
from typing import Any

from dramatiq import Broker, Retry
from dramatiq.broker import MessageProxy
from dramatiq.middleware import Retries

from actors.durable.consumer import REQUEUE
from actors.metrics import MESSAGE_RETRIES, MESSAGES_REQUEUED

logger = logging.getLogger(__name__)


class Requeue(Retry):
    """Raised by an actor that cannot work now: its message is requeued unchanged, and no retry is counted."""


class DurableRetries(Retries):
    """Retries that never acknowledge a message before its retry is in Redis.

    The stock middleware enqueues the retry in a hook whose errors are logged and ignored; the message is acknowledged
    all the same, and is lost if Redis was unavailable at that moment.
    """

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        if exception is None:
            return
        if isinstance(exception, Requeue):
            message.options[REQUEUE] = True
            MESSAGES_REQUEUED.inc()
            return
        try:
            super().after_process_message(broker, message, result=result, exception=exception)  # type: ignore[no-untyped-call]
        except Exception:
            logger.exception("could not retry message %s; it is requeued", message.message_id)
            message.failed = False
            message.options[REQUEUE] = True
            MESSAGES_REQUEUED.inc()
        else:
            if exception is not None and not message.failed:
                MESSAGE_RETRIES.inc()
