-- Tells that a worker lives, by Redis' own clock, and forgets those that do not.
-- heartbeat(keys=[workers], args=[broker_id, heartbeat_timeout (ms)])
--
-- $namespace:workers
--   A sorted set of the broker ids of worker processes by their last heartbeat in ms. Dramatiq's __heartbeats__ is not
--   it: whoever sends a message is in there too.

local time = redis.call("time")
local now = time[1] * 1000 + math.floor(time[2] / 1000)

redis.call("zadd", KEYS[1], now, ARGV[1])
redis.call("zremrangebyscore", KEYS[1], "-inf", now - ARGV[2])
