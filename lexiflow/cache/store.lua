-- Remembers an answer and ends its lock if that is still ours.
-- KEYS: the answer, its lock, further owners, owners in ARGV[7]. ARGV: the word of the lock,
-- milliseconds (0: only end the lock), then rests_on, head, tag, body; then generations that must be
-- the present ones, the milliseconds of generations, and for each further owner a number and so many
-- names, as in begin.lua.
-- Returns 1 if it did.
if redis.call('GET', KEYS[2]) == ARGV[1] then
    redis.call('DEL', KEYS[2])
end
if ARGV[2] == '0' then
    return 1
end
local rests_on = ARGV[3]
if #ARGV > 8 then
    for _, owner in ipairs(cjson.decode(ARGV[7])) do
        local present = redis.call('HMGET', owner[1], unpack(owner[2]))
        for number, generation in ipairs(owner[3]) do
            if present[number] ~= generation then
                return 0
            end
        end
    end
    local chosen = cjson.decode(rests_on)
    local at, place = 9, 3
    while at <= #ARGV do
        local owner, count, names, words = KEYS[place], tonumber(ARGV[at]), {}, {}
        for number = at + 1, at + count do
            local name = ARGV[number]
            local present = redis.call('HGET', owner, name)
            if not present then
                if redis.call('EXISTS', owner .. '!' .. name) == 1 then
                    return 0
                end
                redis.call('HSET', owner, name, ARGV[1])
                present = ARGV[1]
            end
            names[#names + 1], words[#words + 1] = name, present
        end
        redis.call('PEXPIRE', owner, ARGV[8])
        chosen[#chosen + 1] = {owner, names, words}
        at, place = at + 1 + count, place + 1
    end
    rests_on = cjson.encode(chosen)
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'rests_on', rests_on, 'head', ARGV[4], 'tag', ARGV[5], 'body', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
