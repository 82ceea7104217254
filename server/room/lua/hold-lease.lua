-- Decides whose clock ticks: whoever holds the lease, or the first to ask once it has run out.
-- KEYS: the room's (line.lua).  ARGV: now, channel, owner, lease (ms), seats in all, free, reserved ('' = not known).
-- RETURNS { holding, fencing number, phase } | { following } | { unknown }.
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
end
local current = phase()
if current == 'open' and meta.opened ~= '1' then put('opened', 1) end
if meta.phase ~= current then
  redis.call('HSET', META, 'phase', current)
  tell({ kind = 'changed' })
end
return { 'holding', meta.fence, current }
