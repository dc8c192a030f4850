-- Puts a message into a queue and counts its events as accepted, once: a second call with the same id does nothing.
-- So the caller can repeat a call whose reply was lost.
--
-- KEYS: the namespace. ARGV: the queue, the message's id, the message; then, for each site and day of its events,
-- "YYYY-MM-DD site" and the number of events.
--
-- $namespace:$queue and $namespace:$queue.msgs: as Dramatiq's dispatch.lua has them
-- $namespace:sent:$id: exists while the call may be repeated
-- $namespace:accepted: a hash of "YYYY-MM-DD site" -> events

local namespace, queue, id, message = KEYS[1], ARGV[1], ARGV[2], ARGV[3]

if not redis.call("set", namespace .. ":sent:" .. id, "", "nx", "ex", 30) then
    return
end
redis.call("hset", namespace .. ":" .. queue .. ".msgs", id, message)
redis.call("rpush", namespace .. ":" .. queue, id)
for i = 4, #ARGV, 2 do
    redis.call("hincrby", namespace .. ":accepted", ARGV[i], ARGV[i + 1])
end
