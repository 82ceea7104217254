-- Ends the passes whose time is over.
-- KEYS: the room's (line.lua).  ARGV: now, channel, fencing number, at most how many.
-- RETURNS { expired, how many } | { stale } | { unknown }.
if not meta.epoch then return { 'unknown' } end
if not holds_lease(tonumber(ARGV[3])) then return { 'stale' } end
local due = redis.call('ZRANGEBYSCORE', ACTIVE, '-inf', int(now), 'WITHSCORES', 'LIMIT', 0, ARGV[4])
local accounts = {}
for i = 1, #due, 2 do
  local account = due[i]
  accounts[#accounts + 1] = account
  redis.call('ZREM', ACTIVE, account)
  see_off(account)
  local e = find_entrant(account)
  if e and e.flag == 'a' then end_entrant(e, 'p', tonumber(due[i + 1])) end
end
if #accounts > 0 then tell({ kind = 'ended', accounts = accounts, reason = 'pass_expired' }) end
return { 'expired', #accounts }
