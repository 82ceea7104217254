-- Lets somebody who is called step back once, behind a stated number of others, and frees the turn at once.
-- KEYS: the room's (line.lua).  ARGV: now, channel, account, how many go first.
-- RETURNS { deferred | refused | unknown, … } as answer() says.
if not meta.epoch then return { 'unknown' } end
local account, behind = ARGV[3], tonumber(ARGV[4])
local e = find_entrant(account)
local state, turn = state_of(e)
if state ~= 'called' or e.deferred == '1' then return answer('refused', account) end
quit_turn(e, turn)
e.flag, e.deferred, e.turn = 'l', '1', ''
e.place, e.own = get('serving') + behind - 1, true
save_entrant(e)
redis.call('ZADD', LATE, int(e.place), account)
return answer('deferred', account)
