-- Tells what everybody may know of the line, its leavers as a histogram finer near the front, and the operator's counts.
-- KEYS: the room's (line.lua).  ARGV: now, channel, at most how many buckets.
-- RETURNS { viewed, JSON } | { unknown }.
if not meta.epoch then return { 'unknown' } end
local serving, arrivals, buckets = get('serving'), get('arrivals'), tonumber(ARGV[3])
local gone, from = {}, serving
local length = arrivals - serving
local waiting = people(serving, arrivals)
if waiting < length then
  for i = 1, buckets do
    -- Squares: the first buckets are the narrowest, and the last ends at the last arrival.
    local to = serving + math.ceil(length * (i / buckets) ^ 2)
    if to > from then
      local left = to - from - people(from, to)
      if left > 0 then gone[#gone + 1] = { from, left } end
      from = to
    end
  end
end
return { 'viewed', cjson.encode({
  phase = phase(), epoch = get('epoch'), arrivals = arrivals, serving = serving,
  waiting = waiting + redis.call('ZCARD', LATE), gone = #gone > 0 and gone or nil,
  perMinute = issued(), seatsLeft = get('seatsFree'), seatsTotal = get('seatsTotal'),
  called = get('outstanding'), door = redis.call('ZCARD', DOOR), active = live(),
  admitted = get('admitted'), claims = get('claims'), noShows = get('noShows'),
  opened = meta.opened == '1', heldUntil = get('heldUntil'), fence = get('fence'), settings = settings,
}) }
