-- Decides what claiming a turn gives: the pass at once, or a place at the door until one may be issued. Repeats agree.
-- KEYS: the room's (line.lua).  ARGV: now, channel, account.
-- RETURNS { claimed | refused | unknown, … } as answer() says; waited seconds follow when this very call admitted.
if not meta.epoch then return { 'unknown' } end
local account, DOOR_BATCH = ARGV[3], 100
local e = find_entrant(account)
local state, turn = state_of(e)
if state == 'called' then
  -- Somebody thought to be away counts from now on.
  if redis.call('ZREM', ABSENT, account) == 1 then rejoin_turn(turn) end
  claim_turn(turn)
  e.flag, e.turn, e.own = 'd', '', true
  save_entrant(e)
  redis.call('ZREM', AWAY, account)
  redis.call('ZADD', DOOR, int(e.place), account)
elseif state ~= 'door' and state ~= 'admitted' then
  return answer('refused', account)
end

local accounts, waited = open_door(DOOR_BATCH)
local others, own = {}, {}
for i, admitted in ipairs(accounts) do
  own[i] = waited[i]
  if admitted ~= account then others[#others + 1] = admitted end
end
if #others > 0 then tell({ kind = 'admitted', accounts = others }) end
local reply = answer('claimed', account)
for _, seconds in ipairs(own) do reply[#reply + 1] = seconds end
return reply
