-- Takes one server's word of how its latest reservations went, and of who took seats: they are idle no more.
-- KEYS: the room's (line.lua).  ARGV: now, channel, server, attempts, conflicts, errors, p95 (ms), then pairs of account
-- and seats.
-- RETURNS { reported } | { unknown }.
if not meta.epoch then return { 'unknown' } end
local SERVERS_MAX, FORGET_MS = 64, 60000
if redis.call('HLEN', HEALTH) > SERVERS_MAX then
  for server, report in pairs(read_hash(HEALTH)) do
    if now - tonumber(string.match(report, '^%d+')) > FORGET_MS then redis.call('HDEL', HEALTH, server) end
  end
end
redis.call('HSET', HEALTH, ARGV[3], table.concat({ int(now), unpack(ARGV, 4, 7) }, ' '))
for i = 8, #ARGV, 2 do
  local account, seats = ARGV[i], tonumber(ARGV[i + 1])
  if redis.call('ZSCORE', ACTIVE, account) then
    redis.call('ZREM', IDLE, account)
    -- Whoever changes seats takes them once.
    local before = tonumber(redis.call('HGET', TAKEN, account)) or 0
    redis.call('HSET', TAKEN, account, math.max(before, seats))
  end
end
return { 'reported' }
