-- Records that a worker is alive, by the clock of Redis, and removes dead workers.
-- heartbeat(keys=[workers], args=[broker_id, heartbeat_timeout (ms)])
--
-- $namespace:workers
--   A sorted set of the broker ids of worker processes by their last heartbeat in ms. Dramatiq's __heartbeats__ is not
--   it: that contains senders too.

local time = redis.call("time")
local now = time[1] * 1000 + math.floor(time[2] / 1000)

redis.call("zadd", KEYS[1], now, ARGV[1])
redis.call("zremrangebyscore", KEYS[1], "-inf", now - ARGV[2])
