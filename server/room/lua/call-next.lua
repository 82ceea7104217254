-- Calls the next of the line: raises the watermark over as many people as will be let in, in order of place.
-- Work grows with the logarithm of the line and with how many are called, never with its length.
-- KEYS: the room's (line.lua).  ARGV: now, channel, fencing number, at most how many, brake (thousandths), its reason.
-- RETURNS { called, how many } | { stale } | { unknown }.
local PASSED_OVER_MAX, PRIORITY_ASKED = 50, 50
if not meta.epoch then return { 'unknown' } end
if not holds_lease(tonumber(ARGV[3])) then return { 'stale' } end
take_brake(ARGV[5], ARGV[6])
local serving, arrivals, called, passed, from, alone = get('serving'), get('arrivals'), 0, 0, get('serving'), {}
local budget, limit = how_many(tonumber(ARGV[4]))
local due = room_now() + door_ms()

local function present(a, b) return people(a, b) - redis.call('ZCOUNT', ABSENT, int(a), '(' .. int(b)) end
-- The smallest watermark that calls `count` people from `serving` on.
local function raise(count, most)
  local low, high = serving + count, most
  while low < high do
    local middle = math.floor((low + high) / 2)
    if present(serving, middle) >= count then high = middle else low = middle + 1 end
  end
  return low
end
local function call_alone(e)
  local turn = (e.turn == 'again' and 'again:' or 'alone:') .. int(get('turnSeq'))
  redis.call('ZREM', LATE, e.account)
  e.flag, e.turn, e.own, e.called = 'c', turn, true, since_joining(e, now)
  save_entrant(e)
  open_turn(turn, 1, due)
  alone[#alone + 1] = e.account
  called = called + 1
end
-- Raises the watermark up to `most`; false when there was nobody to call.
local function call_places(most)
  local absent = redis.call('ZRANGE', ABSENT, int(serving), '(' .. int(most), 'BYSCORE', 'LIMIT', PASSED_OVER_MAX, 1,
    'WITHSCORES')[2]
  if absent then most = tonumber(absent) end
  local count = present(serving, most)
  if count == 0 and present(serving, arrivals) == 0 then return false end
  local to = count <= budget - called and most or raise(budget - called, most)
  count = math.min(count, budget - called)
  if count > 0 then
    local turn = int(serving) .. ':' .. int(to)
    redis.call('ZADD', TURNS, int(serving), turn)
    open_turn(turn, count, due)
  end
  called, passed = called + count, passed + people(serving, to)
  serving = to
  return not absent or count > 0
end

if budget > 0 then
  put('turnSeq', get('turnSeq') + 1)
  call_priority(budget, present(serving, arrivals), call_alone, PRIORITY_ASKED)
end
while called < budget do
  local late = redis.call('ZRANGE', LATE, 0, 0, 'WITHSCORES')
  local place = tonumber(late[2])
  if place and (place < serving or present(serving, arrivals) == 0) then
    call_alone(find_entrant(late[1]))
  elseif serving >= arrivals or not call_places(place and math.min(arrivals, place + 1) or arrivals) then
    break
  end
end

if serving > from then
  put('serving', serving)
  redis.call('ZREMRANGEBYSCORE', GONE, '-inf', '(' .. int(serving))
end
if called > 0 or serving > from then
  tell({ kind = 'called', from = from, to = serving, alone = alone, claimBefore = wall(due),
    doorSeconds = tonumber(settings.doorSeconds) })
end
if phase() == 'open' and now >= get('heldUntil') then measure_pace(passed, called) end
note_limit(budget > called and present(serving, arrivals) == 0 and 'no_one' or limit)
step_calls()
return { 'called', called }
