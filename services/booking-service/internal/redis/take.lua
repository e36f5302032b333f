-- Takes all seats for a booking, or none. Safe to run twice with the same arguments, as the client does when an
-- answer is late.
-- KEYS: ready marker, the buyer's seats by booking (hash), the booking's own mark, seats...
-- ARGV: booking id, deadline (Unix ms), grace (ms), limit a buyer, this attempt's name or '' if twins may run beside it,
-- how long its mark keeps twins out (ms)
local id, deadline, grace, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if redis.call('EXISTS', KEYS[1]) == 0 then
  return {'cold'}
end
if ARGV[5] ~= '' then
  local attempt = redis.call('GET', KEYS[3])
  if attempt and attempt ~= ARGV[5] then
    return {'twin'}
  end
end
local taken = {'taken'}
local owners = redis.call('MGET', unpack(KEYS, 4))
for i = 1, #KEYS - 3 do
  if owners[i] and owners[i] ~= id then
    taken[#taken + 1] = i - 1
  end
end
if #taken > 1 then
  return taken
end
-- A buyer's entry is "seats:deadline"; one whose deadline is past counts no more.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = 0
local entries = redis.call('HGETALL', KEYS[2])
for i = 1, #entries, 2 do
  local seats, till = string.match(entries[i + 1], '(%d+):(%d+)')
  if tonumber(till) + grace < now then
    redis.call('HDEL', KEYS[2], entries[i])
  elseif entries[i] ~= id then
    held = held + tonumber(seats)
  end
end
if held + #KEYS - 3 > limit then
  return {'limit', held}
end
local till = string.format('%.0f', deadline + grace)
for i = 4, #KEYS do
  redis.call('SET', KEYS[i], id, 'PXAT', till)
end
if ARGV[5] ~= '' then
  redis.call('SET', KEYS[3], ARGV[5], 'PX', ARGV[6])
end
redis.call('HSET', KEYS[2], id, string.format('%d:%.0f', #KEYS - 3, deadline))
redis.call('PEXPIRE', KEYS[2], 31 * 86400000)
return {'ok'}
