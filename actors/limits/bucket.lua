-- Takes tokens from a bucket, which refills evenly; a bucket that nobody has asked for is full.
-- bucket(keys=[bucket], args=[size, refill (ms from empty to full), wanted, back, failures])
--
-- wanted: as many tokens are taken as there are, up to this many.
-- back: tokens taken before that were not used; below zero: used without having been taken.
-- failures: after each `size` of them the refill takes twice as long, at most 64 times as long, until it is forgotten.
--
-- Returns the tokens taken and those that are left (below zero: owed), and in how many ms there is one, and all.
--
-- $namespace:limit:$policy:$who: a hash of the tokens, when that was (ms), and the failures; expires once it is full
--   and nobody has asked for it for as long as it takes from empty to full

-- Not to be logged: the append-only file may wait for the disk at each write, and after a restart all may begin anew.
redis.replicate_commands() -- before Redis 7
redis.set_repl(redis.REPL_NONE)

local size, refill, wanted, back, failures = unpack(ARGV)
size, back = tonumber(size), tonumber(back)

local time = redis.call("time")
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function milliseconds_each(failed)
    return refill / size * 2 ^ math.min(6, math.floor(failed / size))
end

local kept = redis.call("hmget", KEYS[1], "tokens", "at", "failures")
local tokens, at, failed = tonumber(kept[1] or size), tonumber(kept[2] or now), tonumber(kept[3] or 0)
-- The clock may have been set back.
tokens = math.min(size, tokens + back + math.max(0, now - at) / milliseconds_each(failed))
local taken = math.max(0, math.min(tonumber(wanted), math.floor(tokens)))
tokens, failed = tokens - taken, failed + failures

local each = milliseconds_each(failed)
local until_full = math.ceil((size - tokens) * each)
redis.call("hset", KEYS[1], "tokens", tokens, "at", now, "failures", failed)
-- No sooner, as that it has expired is logged.
redis.call("pexpire", KEYS[1], math.max(until_full, refill))
return { taken, math.floor(tokens), math.ceil(math.max(0, 1 - tokens) * each), until_full }
