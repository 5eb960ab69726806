-- One remembered answer, if every generation it rests on is still the present one.
-- KEYS: the answer, its lock. ARGV: the tag the caller has. Returns {state, head, tag, body}:
-- state 1 is an answer (without a body if the tag is the caller's), 2 is being computed, 0 nothing.
-- Whose generations it rests on nobody knows before it is read; they lie in the slot of the answer.
local found = redis.call('HMGET', KEYS[1], 'rests_on', 'head', 'tag')
local is_good = found[1] ~= false
if is_good then
    for _, owner in ipairs(cjson.decode(found[1])) do
        local present = redis.call('HMGET', owner[1], unpack(owner[2]))
        for number, generation in ipairs(owner[3]) do
            if present[number] ~= generation then
                is_good = false
            end
        end
    end
end
if not is_good then
    return {redis.call('EXISTS', KEYS[2]) * 2}
end
if found[3] == ARGV[1] or ARGV[1] == '*' then
    return {1, found[2], found[3]}
end
return {1, found[2], found[3], redis.call('HGET', KEYS[1], 'body')}
