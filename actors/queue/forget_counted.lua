-- Deletes counts of accepted events that PostgreSQL has now: each only if it is unchanged since it was read.
--
-- KEYS: the counts. ARGV: for each count "YYYY-MM-DD site", and the number of events that was read.
--
-- $namespace:accepted: see enqueue.lua

for i = 1, #ARGV, 2 do
    if redis.call("hget", KEYS[1], ARGV[i]) == ARGV[i + 1] then
        redis.call("hdel", KEYS[1], ARGV[i])
    end
end
