-- Acknowledges messages, as `ack` in Dramatiq's dispatch.lua does for one.
--
-- KEYS: the set of ids that this worker has fetched from a queue, and the queue's messages. ARGV: the messages' ids.
--
-- $namespace:__acks__.$worker_id.$queue and $namespace:$queue.msgs: see dispatch.lua

for _, id in ipairs(ARGV) do
    -- An id that is not in the set any more was given to another worker, which needs the message.
    if redis.call("srem", KEYS[1], id) > 0 then
        redis.call("hdel", KEYS[2], id)
    end
end
