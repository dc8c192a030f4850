-- Lets go of messages that are done with, as `ack` of Dramatiq's dispatch.lua does of one.
--
-- KEYS: the set of what this worker has fetched from a queue, and the queue's messages. ARGV: the messages' ids.
--
-- $namespace:__acks__.$worker_id.$queue and $namespace:$queue.msgs: as dispatch.lua has them

for _, id in ipairs(ARGV) do
    -- What is not in the set any more was given to another worker, which needs the message.
    if redis.call("srem", KEYS[1], id) > 0 then
        redis.call("hdel", KEYS[2], id)
    end
end
