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
-- What Redis can put on its stack at once is some thousands of values.
local READ_AT_ONCE = 2000

-- Read at once, for all: one call costs as much as what it reads. What is locked on the way is written down here too.
local known = {}
for from = 1, #KEYS, READ_AT_ONCE do
  local values = redis.call('MGET', unpack(KEYS, from, math.min(from + READ_AT_ONCE - 1, #KEYS)))
  for i = 1, #values do known[KEYS[from + i - 1]] = values[i] end
end

local function decide(first, count, token)
  local taken, busy = { 'taken' }, { 'busy' }
  for i = 1, count do
    local status = known[KEYS[first + i]]
    if status and GONE[string.match(status, '^%u+') or ''] then taken[#taken + 1] = i end
  end
  if #taken > 1 then return taken end
  for i = 1, count do
    local owner = known[KEYS[first + count + i]]
    if owner and owner ~= token then busy[#busy + 1] = i end
  end
  if #busy > 1 then return busy end
  for i = 1, count do
    local lock = KEYS[first + count + i]
    redis.call('SET', lock, token, 'PX', lifetime)
    known[lock] = token
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
