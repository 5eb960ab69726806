-- Ends generations. Deleting works in a full Redis as well.
-- KEYS: the owners. ARGV: the writer's word, milliseconds (0: the write is over, the writer is
-- done), then for each owner a number and so many names.
local writer, milliseconds = ARGV[1], tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local at = 3
for place = 1, #KEYS do
    local owner, count = KEYS[place], tonumber(ARGV[at])
    for number = at + 1, at + count do
        local name = ARGV[number]
        local writers = owner .. '!' .. name
        redis.call('HDEL', owner, name)
        if milliseconds > 0 then
            redis.call('ZREMRANGEBYSCORE', writers, '-inf', now)
            -- A full Redis refuses this, and the end of the write counts.
            redis.pcall('ZADD', writers, now + milliseconds, writer)
            redis.pcall('PEXPIRE', writers, milliseconds)
        else
            redis.call('ZREM', writers, writer)
        end
    end
    at = at + 1 + count
end
return 1
