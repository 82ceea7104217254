-- Decides whose clock ticks: whoever holds the lease, or the first to ask once it has run out.
-- KEYS: the room's (line.lua).  ARGV: now, channel, owner, lease (ms), seats in all, free, reserved ('' = not known).
-- RETURNS { holding, fencing number, phase, draw '1' when the list is to be closed or the draw to be finished | '', brake
-- (thousandths), its reason, when it moved (ms), then each server's health (lua/report-health.lua) } | { following } | { unknown }.
if not meta.epoch then return { 'unknown' } end
local owner, leaseMs = ARGV[3], tonumber(ARGV[4])
if meta.leaseOwner ~= owner then
  if get('leaseUntil') > now then return { 'following' } end
  meta.leaseOwner = owner
  redis.call('HSET', META, 'leaseOwner', owner)
  put('fence', get('fence') + 1)
end
-- While nobody's clock ticked, nobody could be heard of either: silence counts from here.
if get('leaseUntil') < now then put('aliveSince', now) end
put('leaseUntil', now + leaseMs)
if ARGV[5] ~= '' then
  put('seatsTotal', ARGV[5])
  put('seatsFree', ARGV[6])
  put('seatsReserved', ARGV[7])
  if get('seatsFree') == 0 then put('emptyAt', now) end
end
local current = phase()
if enter_phase(current) then tell({ kind = 'changed' }) end
return { 'holding', meta.fence, current, draw_due(current) and '1' or '', meta.brake or '1000', meta.brakeReason or '',
  meta.brakeAt or '0', unpack(redis.call('HVALS', HEALTH)) }
