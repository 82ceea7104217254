-- Starts an epoch of a line that is not there: a new one, or one whose Redis was lost.
-- KEYS: the room's (line.lua).  ARGV: now, channel, epoch, arrivals, serving, held until (ms), commitment, lobby ('1' = numbers
-- wait for a draw), then as far as the draw has come ('' = not so far): entrants, closed at (ms), root, seed, round tables.
-- RETURNS { restored | present }.
local FENCES_AN_EPOCH = 1e6
if meta.epoch then return { 'present' } end
redis.call('DEL', unpack(KEYS))
meta = {}
put('epoch', ARGV[3])
-- Above every fencing number of the epochs that were lost: a server stopped in one of them moves nothing in this one.
put('fence', tonumber(ARGV[3]) * FENCES_AN_EPOCH)
put('arrivals', ARGV[4])
put('serving', math.min(tonumber(ARGV[5]), tonumber(ARGV[4])))
put('restoredTo', ARGV[4])
put('heldUntil', ARGV[6])
put('heldAtMost', ARGV[6])
put('restoredAt', now)
put('aliveSince', now)
redis.call('HSET', META, 'life', life)
redis.call('HSET', META, 'commitment', ARGV[7] or '')
local entrants, closed_at, root, seed, tables = ARGV[9] or '', ARGV[10] or '', ARGV[11] or '', ARGV[12] or '', ARGV[13] or ''
if entrants ~= '' then
  put('entrants', entrants)
  put('closedAt', closed_at)
  if root ~= '' then redis.call('HSET', META, 'root', root) end
end
if ARGV[8] == '1' then put('lobby', 1) end
if seed ~= '' then
  redis.call('SET', DRAW, tables)
  redis.call('HSET', META, 'seed', seed)
  put('drawn', entrants)
end
if entrants == '0' then put('plain', 1) end
if seed ~= '' or entrants == '0' then put('opened', 1) end
tell({ kind = 'changed' })
return { 'restored' }
