-- Frees the places of those whose connection has been lost for longer than the grace; nothing while paused.
-- KEYS: the room's (line.lua).  ARGV: now, channel, fencing number, at most how many.
-- RETURNS { swept, how many } | { stale } | { unknown }.
if not meta.epoch then return { 'unknown' } end
if not holds_lease(tonumber(ARGV[3])) then return { 'stale' } end
local swept = {}
for _, account in ipairs(redis.call('ZRANGEBYSCORE', AWAY, '-inf', int(room_now()), 'LIMIT', 0, ARGV[4])) do
  redis.call('ZREM', AWAY, account)
  local e = find_entrant(account)
  -- Who is called meanwhile has until the end of the turn; who has a socket again is not away.
  local state, turn = state_of(e)
  if state == 'called' and redis.call('ZSCORE', ABSENT, account) then
    redis.call('ZADD', AWAY, redis.call('ZSCORE', DUE, turn), account)
  else
    redis.call('ZREM', ABSENT, account)
    redis.call('ZREM', PRIORITY, account)
  end
  if (state == 'waiting' or state == 'door') and e.socket == '' then
    free_place(e)
    end_entrant(e, 'l', now)
    swept[#swept + 1] = account
  end
end
if #swept > 0 then tell({ kind = 'ended', accounts = swept, reason = 'left' }) end
return { 'swept', #swept }
