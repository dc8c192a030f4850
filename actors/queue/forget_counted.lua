-- Drops counts of accepted events that are kept elsewhere: each only as long as it is still what was kept.
--
-- KEYS: the counts. ARGV: of each "YYYY-MM-DD site", and how many events were kept.
--
-- $namespace:accepted: as enqueue.lua has it

for i = 1, #ARGV, 2 do
    if redis.call("hget", KEYS[1], ARGV[i]) == ARGV[i + 1] then
        redis.call("hdel", KEYS[1], ARGV[i])
    end
end
