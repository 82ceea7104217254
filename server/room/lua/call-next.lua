-- Calls the next of the line: raises the watermark over as many people as there are passes to give, in order of place.
-- Work grows with the logarithm of the line, never with its length.
-- KEYS: the room's (line.lua).  ARGV: now, channel, fencing number, at most how many.
-- RETURNS { called, how many } | { stale } | { unknown }.
if not meta.epoch then return { 'unknown' } end
if not holds_lease(tonumber(ARGV[3])) then return { 'stale' } end
if phase() ~= 'open' or now < get('heldUntil') then return { 'called', 0 } end
if get('seatsTotal') > 0 and get('seatsFree') == 0 then return { 'called', 0 } end

local promised = get('outstanding') + redis.call('ZCARD', DOOR)
local rate = tonumber(settings.admitPerMinute)
local budget = math.min(tonumber(ARGV[4]), tonumber(settings.activeMax) - live() - promised)
if rate then budget = math.min(budget, rate - issued() - promised) end
local door = tonumber(settings.doorSeconds)
local due = room_now() + (door > 0 and door or tonumber(settings.passSeconds)) * 1000
local serving, arrivals, called, from, alone = get('serving'), get('arrivals'), 0, get('serving'), {}

-- The smallest watermark that calls `count` people from `serving` on.
local function raise(count, limit)
  local low, high = serving + count, limit
  while low < high do
    local middle = math.floor((low + high) / 2)
    if people(serving, middle) >= count then high = middle else low = middle + 1 end
  end
  return low
end
local function open_turn(turn, count)
  redis.call('HSET', OUTSTANDING, turn, int(count))
  redis.call('ZADD', DUE, int(due), turn)
  called = called + count
end

while called < budget do
  local late = redis.call('ZRANGE', LATE, 0, 0, 'WITHSCORES')
  local place = tonumber(late[2])
  if place and (place < serving or serving >= arrivals) then
    local e = find_entrant(late[1])
    redis.call('ZREM', LATE, late[1])
    e.flag, e.turn = 'c', late[1] .. ':' .. int(now) .. ':0'
    e.called = since_joining(e, now)
    save_entrant(e)
    open_turn(e.turn, 1)
    alone[#alone + 1] = late[1]
  elseif serving < arrivals then
    local limit = place and math.min(arrivals, place + 1) or arrivals
    local count = people(serving, limit)
    local to = count <= budget - called and limit or raise(budget - called, limit)
    count = math.min(count, budget - called)
    if count > 0 then
      local turn = int(serving) .. ':' .. int(to)
      redis.call('ZADD', TURNS, int(serving), turn)
      open_turn(turn, count)
    end
    serving = to
  else
    break
  end
end

if serving > from then
  put('serving', serving)
  redis.call('ZREMRANGEBYSCORE', GONE, '-inf', '(' .. int(serving))
end
if called > 0 then
  put('outstanding', get('outstanding') + called)
  tell({ kind = 'called', from = from, to = serving, alone = alone, claimBefore = wall(due), doorSeconds = door })
end
return { 'called', called }
