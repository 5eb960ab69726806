-- The same contract for limits in the thousands, in constant space: calls are counted in slots of a
-- sixtieth of the period. A slot counts until all of it has left the window, so no window ever holds
-- more calls than the limit; the price is that a call may count for up to a sixtieth longer.
--
-- KEYS: the counters (a hash: slot -> calls), their block
-- ARGV: limit, period in microseconds, block in milliseconds, member ('' only asks)
-- Returns: as sliding_window.lua, and the slot the call was counted in
local limit, period, block, member = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local width = period / 60
local oldest = math.floor((now - period) / width)

local slots, count = {}, 0
local stored = redis.call('HGETALL', KEYS[1])
for i = 1, #stored, 2 do
  local slot, calls = tonumber(stored[i]), tonumber(stored[i + 1])
  if slot < oldest or calls <= 0 then
    redis.call('HDEL', KEYS[1], stored[i])
  else
    slots[#slots + 1] = {slot, calls}
    count = count + calls
  end
end
table.sort(slots, function(a, b) return a[1] < b[1] end)

if block > 0 then
  local left = redis.call('PTTL', KEYS[2])
  if left > 0 then return {0, math.max(count, limit), left * 1000, left * 1000, now, 0} end
end

local function leaves_in(calls)
  -- Until `calls` of the oldest calls have left.
  local gone = 0
  for _, slot in ipairs(slots) do
    gone = gone + slot[2]
    if gone >= calls then return math.ceil((slot[1] + 1) * width + period - now) end
  end
  return 0
end

if count >= limit then
  if block > 0 and member ~= '' then
    redis.call('SET', KEYS[2], '1', 'PX', block)
    return {0, count, block * 1000, block * 1000, now, 0}
  end
  return {0, count, leaves_in(1), leaves_in(count - limit + 1), now, 0}
end

local slot = math.floor(now / width)
if member ~= '' then
  redis.call('HINCRBY', KEYS[1], string.format('%.0f', slot), 1)
  redis.call('PEXPIRE', KEYS[1], math.ceil((period + width) / 1000))
  count = count + 1
  if #slots > 0 and slots[#slots][1] == slot then
    slots[#slots][2] = slots[#slots][2] + 1
  else
    slots[#slots + 1] = {slot, 1}
  end
end
return {1, count, leaves_in(1), count < limit and 0 or leaves_in(count - limit + 1), now, slot}
