-- Before an answer is computed: the present generations, made where there are none.
-- A table that is being written has none, and gets none until its writers are done.
-- KEYS: the lock of the answer, the owners. ARGV: a random word, the lock's and the generations'
-- milliseconds, then for each owner a number and so many names. Returns {whether the lock is ours, ...}.
local word, lock_ms, keep_ms = ARGV[1], ARGV[2], ARGV[3]
local reply = {redis.call('SET', KEYS[1], word, 'NX', 'PX', lock_ms) and 1 or 0}
local at = 4
for place = 2, #KEYS do
    local owner, count = KEYS[place], tonumber(ARGV[at])
    for number = at + 1, at + count do
        local name = ARGV[number]
        local present = redis.call('HGET', owner, name)
        if not present and redis.call('EXISTS', owner .. '!' .. name) == 0 then
            redis.call('HSET', owner, name, word)
            present = word
        end
        reply[#reply + 1] = present or ''
    end
    redis.call('PEXPIRE', owner, keep_ms)
    at = at + 1 + count
end
return reply
