-- Gives those who are away while their place is decided the place it will be, so that the first call passes over them.
-- Whoever came back meanwhile is left alone.
-- KEYS: the room's (line.lua).  ARGV: now, channel, fencing number, then pairs of account and place.
-- RETURNS { placed } | { stale } | { unknown }.
if not meta.epoch then return { 'unknown' } end
if not holds_lease(tonumber(ARGV[3])) then return { 'stale' } end
for i = 4, #ARGV, 2 do
  if tonumber(redis.call('ZSCORE', ABSENT, ARGV[i])) == math.huge then
    redis.call('ZADD', ABSENT, ARGV[i + 1], ARGV[i])
  end
end
return { 'placed' }
