-- Tells where an account stands; asking over HTTP also says that somebody is still there.
-- KEYS: the room's (line.lua).  ARGV: now, channel, account, seconds of presence the question is worth at the least (0 = none).
-- RETURNS { found | unknown, … } as answer() says.
if not meta.epoch then return { 'unknown' } end
local account, seconds = ARGV[3], tonumber(ARGV[4])
if seconds > 0 and (redis.call('ZSCORE', ABSENT, account) or redis.call('ZSCORE', AWAY, account)) then
  local e = find_entrant(account)
  if come_back(e) then save_entrant(e) end
end
local found = answer('found', account)
if seconds > 0 and (found[2] == 'waiting' or found[2] == 'door') and found[8] == '' then
  redis.call('ZADD', AWAY, int(believed_until(seconds)), account)
end
return found
