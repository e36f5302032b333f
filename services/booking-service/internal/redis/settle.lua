-- Notes what became of a booking's seats. Replicas are heard in any order: once a booking has ended, nothing takes its
-- seats for it again.
-- KEYS: the buyer's seats by booking (hash), the booking's own mark, its mark that it has ended, seats...
-- ARGV: booking id, state (available, held, sold), until when (Unix ms), grace (ms), 1 if the buyer is known,
-- how long to remember that the booking has ended (ms; 0: it has not), how long a sold seat is locked (ms)
local id, state, grace = ARGV[1], ARGV[2], tonumber(ARGV[4])
if state == 'available' then
  for i = 4, #KEYS do
    if redis.call('GET', KEYS[i]) == id then
      redis.call('DEL', KEYS[i])
    end
  end
  redis.call('DEL', KEYS[2])
  if ARGV[5] == '1' then
    redis.call('HDEL', KEYS[1], id)
  end
  if ARGV[6] ~= '0' then
    redis.call('SET', KEYS[3], '1', 'PX', ARGV[6])
  end
  return 1
end
if redis.call('EXISTS', KEYS[3]) == 1 then
  return 0
end
local till = string.format('%.0f', tonumber(ARGV[3]) + grace)
for i = 4, #KEYS do
  if state == 'sold' then
    redis.call('SET', KEYS[i], id, 'PX', ARGV[7])
  else
    redis.call('SET', KEYS[i], id, 'PXAT', till)
  end
end
if ARGV[5] == '1' then
  redis.call('HSET', KEYS[1], id, string.format('%d:%.0f', #KEYS - 3, tonumber(ARGV[3])))
  redis.call('PEXPIRE', KEYS[1], 31 * 86400000)
end
return 1
