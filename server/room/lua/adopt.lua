-- Judges a line found in a Redis that was started again: it goes on only when nobody knows more of it than it does
-- itself, and not before every server had time to say so (attend.lua). What is lost starts the next epoch.
-- KEYS: the room's (line.lua).  ARGV: now, channel, epoch, arrivals, serving as Postgres saved them ('' = never), how
-- long to listen (ms).
-- RETURNS { present } | { lost } | { doubted } | { adopted }.
local FENCES_FORGOTTEN = 1000
if meta.epoch then return { 'present' } end
meta = past
if not meta.epoch or meta.outrun == '1' then return { 'lost' } end
local epoch, arrivals, serving = tonumber(ARGV[3]) or 0, tonumber(ARGV[4]) or 0, tonumber(ARGV[5]) or 0
local behind = epoch == get('epoch') and (get('arrivals') < arrivals or get('serving') < serving)
if epoch > get('epoch') or behind then return { 'lost' } end
if meta.doubtedIn ~= life then
  redis.call('HSET', META, 'doubtedIn', life)
  put('doubtedUntil', now + tonumber(ARGV[6]))
end
if now < get('doubtedUntil') then return { 'doubted' } end
redis.call('HSET', META, 'life', life)
put('aliveSince', now)
-- Leases given out meanwhile may be forgotten; their fencing numbers are not given again.
put('fence', get('fence') + FENCES_FORGOTTEN)
tell({ kind = 'changed' })
return { 'adopted' }
