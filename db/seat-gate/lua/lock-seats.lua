-- Decides, for each of many reservations of one event, whether it may go on to Postgres: every seat it asks for looks
-- free and nobody else is at it. All or none: nothing is locked for it unless all its seats are. Earlier ones come
-- first. It may only refuse; Postgres decides who gets a seat.
-- KEYS     of all reservations one after another: status:seat:{event}:n of each seat (`<STATUS>:<version>`, absent or
--          unknown = free as far as known), then lock:seat:{event}:n of each seat
-- ARGV[1]  lifetime of the locks in ms
-- ARGV     then per reservation two: its token, so that nobody else unlocks for it, and how many seats it asks for
-- RETURNS  per reservation {'locked'} | {'taken', i, ...} seats known to be gone | {'busy', i, ...} seats in another's
--          hands; i counts its own seats from 1
local lifetime = ARGV[1]
local GONE = { RESERVED = true, SOLD = true, BLOCKED = true }

local function decide(first, count, token)
  local taken, busy = { 'taken' }, { 'busy' }
  for i = 1, count do
    local known = redis.call('GET', KEYS[first + i])
    if known and GONE[string.match(known, '^%u+') or ''] then taken[#taken + 1] = i end
  end
  if #taken > 1 then return taken end
  for i = 1, count do
    local owner = redis.call('GET', KEYS[first + count + i])
    if owner and owner ~= token then busy[#busy + 1] = i end
  end
  if #busy > 1 then return busy end
  for i = 1, count do
    redis.call('SET', KEYS[first + count + i], token, 'PX', lifetime)
  end
  return { 'locked' }
end

local answers, first = {}, 0
for at = 2, #ARGV, 2 do
  local count = tonumber(ARGV[at + 1])
  answers[#answers + 1] = decide(first, count, ARGV[at])
  first = first + 2 * count
end
return answers
