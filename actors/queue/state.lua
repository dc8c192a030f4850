-- How many messages a queue has, its oldest message, and how many workers are alive, in one round trip.
-- queue_state(keys=[namespace], args=[queue_name, heartbeat_timeout (ms)])
--
-- Uses Dramatiq's keys (see its brokers/redis/dispatch.lua) and those of heartbeat.lua.

local namespace, queue_name, heartbeat_timeout = KEYS[1], ARGV[1], ARGV[2]
local queue = namespace .. ":" .. queue_name

local time = redis.call("time")
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Ids are UUIDv7: the smallest is the oldest. An id that was queued twice may outlive its message.
local oldest = false
local function see(id)
    if id and string.sub(id, 15, 15) == "7" and (not oldest or id < oldest) then
        if redis.call("hexists", queue .. ".msgs", id) == 1 then
            oldest = id
        end
    end
end

see(redis.call("lindex", queue, 0))
-- Fetched and not acknowledged: at most one prefetch per worker.
for _, broker_id in ipairs(redis.call("zrange", namespace .. ":__heartbeats__", 0, -1)) do
    for _, id in ipairs(redis.call("smembers", namespace .. ":__acks__." .. broker_id .. "." .. queue_name)) do
        see(id)
    end
end

return {
    now,
    redis.call("llen", queue),
    redis.call("hlen", queue .. ".msgs"),
    redis.call("hlen", queue .. ".DQ.msgs"),
    redis.call("zcard", queue .. ".XQ"),
    redis.call("hlen", namespace .. ":dead_letters.msgs") + redis.call("hlen", namespace .. ":dead_letters.DQ.msgs"),
    oldest,
    redis.call("zcount", namespace .. ":workers", now - heartbeat_timeout, "+inf"),
}
