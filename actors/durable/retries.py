"""What happens to a message whose actor raised: it goes back, is tried again later, or is a dead letter."""

import logging
from typing import Any

from dramatiq import Broker, Retry
from dramatiq.broker import MessageProxy
from dramatiq.middleware import Retries

from actors.durable.consumer import GIVE_BACK
from actors.metrics import MESSAGE_RETRIES, MESSAGES_REQUEUED

logger = logging.getLogger(__name__)


class Requeue(Retry):
    """Raised by an actor that cannot work now: its message goes back to the queue as it was, and no try is counted."""


class DurableRetries(Retries):
    """Retries that never let go of a message before its retry is in Redis.

    The stock middleware enqueues the retry in a hook whose errors are logged and dropped; the message is acknowledged
    all the same, and when Redis was away at that moment it is gone.
    """

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        if exception is None:
            return
        if isinstance(exception, Requeue):
            message.options[GIVE_BACK] = True
            MESSAGES_REQUEUED.inc()
            return
        try:
            super().after_process_message(broker, message, result=result, exception=exception)  # type: ignore[no-untyped-call]
        except Exception:
            logger.exception("could not retry message %s; it goes back to its queue", message.message_id)
            message.failed = False
            message.options[GIVE_BACK] = True
            MESSAGES_REQUEUED.inc()
        else:
            if exception is not None and not message.failed:
                MESSAGE_RETRIES.inc()
