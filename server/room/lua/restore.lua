-- Starts an epoch of a line that is not there: a new one, or one whose Redis was lost.
-- KEYS: the room's (line.lua).  ARGV: now, channel, epoch, arrivals, serving, held until (ms).
-- RETURNS { restored | present }.
if meta.epoch then return { 'present' } end
redis.call('DEL', unpack(KEYS))
meta = {}
put('epoch', ARGV[3])
put('arrivals', ARGV[4])
put('serving', math.min(tonumber(ARGV[5]), tonumber(ARGV[4])))
put('restoredTo', ARGV[4])
put('heldUntil', ARGV[6])
put('restoredAt', now)
put('aliveSince', now)
redis.call('HSET', META, 'life', life)
tell({ kind = 'changed' })
return { 'restored' }
