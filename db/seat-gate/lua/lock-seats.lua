-- Decides whether a reservation may go on to Postgres: every seat asked for looks free and nobody else is at it.
-- All or none: nothing is locked unless all seats are. It may only refuse; Postgres decides who gets a seat.
-- KEYS     1..count          status:seat:{event}:n   `<STATUS>:<version>`, absent or unknown = free as far as known
--          count+1..2*count  lock:seat:{event}:n
-- ARGV[1]  token of this reservation, so that nobody else unlocks for it
-- ARGV[2]  lifetime of the locks in ms
-- RETURNS  {'locked'} | {'taken', i, ...} seats known to be gone | {'busy', i, ...} seats in another's hands; i from 1
local token, lifetime = ARGV[1], ARGV[2]
local count = #KEYS / 2

local GONE = { RESERVED = true, SOLD = true, BLOCKED = true }

local taken = { 'taken' }
for i = 1, count do
  local known = redis.call('GET', KEYS[i])
  if known and GONE[string.match(known, '^%u+') or ''] then
    taken[#taken + 1] = i
  end
end
if #taken > 1 then
  return taken
end

local busy = { 'busy' }
for i = 1, count do
  local owner = redis.call('GET', KEYS[count + i])
  if owner and owner ~= token then
    busy[#busy + 1] = i
  end
end
if #busy > 1 then
  return busy
end

for i = 1, count do
  redis.call('SET', KEYS[count + i], token, 'PX', lifetime)
end
return { 'locked' }
