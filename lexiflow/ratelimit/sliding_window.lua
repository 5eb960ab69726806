-- One call against a sliding-window log: every admitted call is a member of a sorted set, its score
-- the moment in microseconds. Atomic, by Redis' own clock. A refused call leaves no trace but the
-- block, if there is one.
--
-- KEYS: the log, its block (one hash slot: both contain the same {tag})
-- ARGV: limit, period in microseconds, block in milliseconds, member ('' only asks)
-- Returns: admitted (1, 0), counted calls, microseconds until the oldest of them leaves,
--          microseconds until a call would be admitted, now in microseconds
local limit, period, block, member = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- First, and not only when needed: a Redis that is full lets a script finish that has begun to write.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - period))
local count = redis.call('ZCARD', KEYS[1])

if block > 0 then
  local left = redis.call('PTTL', KEYS[2])
  if left > 0 then return {0, math.max(count, limit), left * 1000, left * 1000, now} end
end

local function leaves_in(index)
  local entry = redis.call('ZRANGE', KEYS[1], index, index, 'WITHSCORES')
  return entry[2] and (entry[2] + period - now) or 0
end

if count >= limit then
  if block > 0 and member ~= '' then
    redis.call('SET', KEYS[2], '1', 'PX', block)
    return {0, count, block * 1000, block * 1000, now}
  end
  -- The limit may have been lowered: then more than one call has to leave.
  return {0, count, leaves_in(0), leaves_in(count - limit), now}
end

if member ~= '' then
  redis.call('ZADD', KEYS[1], string.format('%.0f', now), member)
  redis.call('PEXPIRE', KEYS[1], math.ceil(period / 1000))
  count = count + 1
end
return {1, count, leaves_in(0), count < limit and 0 or leaves_in(count - limit), now}
