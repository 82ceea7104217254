-- Ends the turns nobody claimed in time: what is outstanding of a turn is its no-shows, whoever they are.
-- KEYS: the room's (line.lua).  ARGV: now, channel, fencing number, at most how many turns.
-- RETURNS { expired, no-shows } | { stale } | { unknown }.
if not meta.epoch then return { 'unknown' } end
if not holds_lease(tonumber(ARGV[3])) then return { 'stale' } end
local noShows = 0
for _, turn in ipairs(redis.call('ZRANGEBYSCORE', DUE, '-inf', int(room_now()), 'LIMIT', 0, ARGV[4])) do
  noShows = noShows + end_turn(turn)
end
if noShows > 0 then
  put('noShows', get('noShows') + noShows)
  tell({ kind = 'missed' })
end
return { 'expired', noShows }
