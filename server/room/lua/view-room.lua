-- Tells what everybody may know of the line, its leavers as a histogram finer near the front, and the operator's counts.
-- KEYS: the room's (line.lua).  ARGV: now, channel, at most how many buckets.
-- RETURNS { viewed, JSON } | { unknown }.
if not meta.epoch then return { 'unknown' } end
local serving, arrivals = get('serving'), get('arrivals')
local waiting = people(serving, arrivals)
-- Before the draw there are no places to leave.
local undrawn = get('lobby') == 1 and not meta.drawn
local gone = not undrawn and waiting < arrivals - serving and gone_buckets(serving, arrivals, tonumber(ARGV[3])) or '[]'
return { 'viewed', cjson.encode({
  phase = phase(), epoch = get('epoch'), arrivals = arrivals, serving = serving,
  waiting = waiting + redis.call('ZCARD', LATE) + redis.call('ZCOUNT', ABSENT, '-inf', '(' .. int(serving)), gone = gone,
  perMinute = issued(), seatsLeft = get('seatsFree'), seatsTotal = get('seatsTotal'),
  called = get('outstanding'), door = redis.call('ZCARD', DOOR), active = live(),
  admitted = get('admitted'), claims = get('claims'), noShows = get('noShows'),
  forecasts = get('forecasts'), forecastsInside = get('forecastsInside'),
  calls = get('calls'), passed = get('passed'), seatsAtStart = tonumber(meta.seatsAtStart),
  pace = redis.call('LRANGE', PACE, 0, -1),
  opened = meta.opened == '1', commitment = meta.commitment, root = meta.root, seed = meta.seed,
  drawn = get('drawn'), heldUntil = get('heldUntil'), fence = get('fence'), settings = settings,
}) }
