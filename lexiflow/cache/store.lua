-- Remembers an answer and ends its lock if that is still ours.
-- KEYS: the answer, its lock. ARGV: the word of the lock, milliseconds (0: only end the lock), then
-- rests_on, head, tag, body.
if redis.call('GET', KEYS[2]) == ARGV[1] then
    redis.call('DEL', KEYS[2])
end
if ARGV[2] ~= '0' then
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[1], 'rests_on', ARGV[3], 'head', ARGV[4], 'tag', ARGV[5],
        'body', ARGV[6])
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1
