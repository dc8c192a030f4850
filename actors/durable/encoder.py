"""How messages look in Redis: MessagePack, because what they carry is bytes."""

import msgspec
from dramatiq.encoder import Encoder, MessageData


class MessagePackEncoder(Encoder):
    """MessagePack by msgspec. What is not MessagePack raises; the consumer sets such a message aside."""

    def encode(self, data: MessageData) -> bytes:
        return msgspec.msgpack.encode(data)

    def decode(self, data: bytes) -> MessageData:
        return msgspec.msgpack.decode(data, type=MessageData)
