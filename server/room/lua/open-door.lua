-- Issues passes to those who claimed and had to wait at the door.
-- KEYS: the room's (line.lua).  ARGV: now, channel, fencing number, at most how many.
-- RETURNS { opened, waited seconds … } | { stale } | { unknown }.
if not meta.epoch then return { 'unknown' } end
if not holds_lease(tonumber(ARGV[3])) then return { 'stale' } end
local accounts, waited = open_door(tonumber(ARGV[4]))
if #accounts > 0 then tell({ kind = 'admitted', accounts = accounts }) end
return { 'opened', unpack(waited) }
