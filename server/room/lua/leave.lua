-- Gives up whatever an account has: its place, its turn, its wait at the door or its pass.
-- KEYS: the room's (line.lua).  ARGV: now, channel, account.
-- RETURNS { left | refused | unknown, … } as answer() says.
if not meta.epoch then return { 'unknown' } end
local account = ARGV[3]
local e = find_entrant(account)
local state, turn = state_of(e)
if state == 'outside' then return answer('refused', account) end
if state == 'called' then quit_turn(e, turn) end
if state == 'waiting' then free_place(e) end
if state == 'admitted' then see_off(account) end
for _, key in ipairs({ RETURNED, LATE, DOOR, ACTIVE, AWAY, ABSENT, PRIORITY }) do redis.call('ZREM', key, account) end
end_entrant(e, 'l', now)
tell({ kind = 'ended', accounts = { account }, reason = 'left' })
return answer('left', account)
