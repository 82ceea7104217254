-- Decides that processes have ended: their figures move into the sum of the ended ones, unless anything moved meanwhile.
-- KEYS[1]  metrics:processes
-- ARGV[1]  version of the sum as it was read, ARGV[2] the new sum, ARGV[3] now in ms
-- ARGV[4]  how many processes, then each with the ms of its report as it was read; after them, names to forget
-- RETURNS  {'ended'} | {'moved'}
local processes = KEYS[1]
local version, sum, now, count = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

if (redis.call('HGET', processes, 'version') or '0') ~= version then return { 'moved' } end
for i = 5, 3 + 2 * count, 2 do
  if redis.call('HGET', processes, 'at:' .. ARGV[i]) ~= ARGV[i + 1] then return { 'moved' } end
end
for i = 5, 3 + 2 * count, 2 do
  redis.call('HDEL', processes, 'at:' .. ARGV[i], 'of:' .. ARGV[i])
  redis.call('HSET', processes, 'gone:' .. ARGV[i], now)
end
for i = 5 + 2 * count, #ARGV do redis.call('HDEL', processes, 'gone:' .. ARGV[i]) end
redis.call('HSET', processes, 'ended', sum, 'version', tonumber(version) + 1)
return { 'ended' }
