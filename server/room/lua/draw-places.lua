-- Makes the draw true, once: from this step on every number below `drawn` has its place, and the numbers nobody stands at
-- are gone. Work grows with those who left since the list was read, never with the list.
-- KEYS: the room's (line.lua); HOLES holds the places of nobody's numbers.  ARGV: now, channel, fencing number, epoch,
-- entrants, root, seed, round tables, how many of LEFT are among HOLES already.
-- RETURNS { drawn } | { already } | { other } when the list closed here is not that one | { stale } | { unknown }.
if not meta.epoch then return { 'unknown' } end
if not holds_lease(tonumber(ARGV[3])) then return { 'stale' } end
if meta.epoch ~= ARGV[4] then return { 'stale' } end
if meta.drawn then return { 'already' } end
if meta.entrants ~= ARGV[5] then return { 'other' } end
local entrants = tonumber(ARGV[5])
redis.call('SET', DRAW, ARGV[8])
redis.call('HSET', META, 'root', ARGV[6], 'seed', ARGV[7])
put('drawn', entrants)
put('opened', 1)

local function hole(place) redis.call('ZADD', HOLES, int(place), int(place)) end
for _, number in ipairs(redis.call('LRANGE', LEFT, ARGV[9], -1)) do hole(place_of(tonumber(number))) end
-- Those behind the list who left already keep their gaps; the others' were told by number until now.
for _, place in ipairs(redis.call('ZRANGEBYSCORE', GONE, entrants, '+inf')) do hole(place) end
redis.call('UNLINK', GONE, LEFT)
if redis.call('EXISTS', HOLES) == 1 then redis.call('RENAME', HOLES, GONE) end
-- Of the numbers of a lost epoch only those behind the list still have to come back.
if get('restoredTo') > 0 then put('restoredFrom', entrants) end
if get('voidBelow') >= entrants then put('serving', get('voidBelow')) end
for _, account in ipairs(redis.call('ZRANGEBYSCORE', ABSENT, '+inf', '+inf')) do
  redis.call('ZADD', ABSENT, int(find_entrant(account).place), account)
end
step('drawn', { entrants = entrants, waiting = people(0, get('arrivals')), root = ARGV[6], seed = ARGV[7] })
tell({ kind = 'drawn' })
return { 'drawn' }
