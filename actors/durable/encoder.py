"""The format of messages in Redis: MessagePack, because their payload is bytes."""

import msgspec
from dramatiq.encoder import Encoder, MessageData


class MessagePackEncoder(Encoder):
    """MessagePack by msgspec. Other data raises, and the consumer dead-letters the message."""

    def encode(self, data: MessageData) -> bytes:
        return msgspec.msgpack.encode(data)

    def decode(self, data: bytes) -> MessageData:
        return msgspec.msgpack.decode(data, type=MessageData)
