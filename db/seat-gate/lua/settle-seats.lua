-- Decides what the cache says of seats after a commit, frees the reservation's own locks, and announces the change.
-- A value of an older seat version never replaces a newer one, so late and repeated settles do no harm.
-- KEYS[1]  status:seat:{event}:version
-- KEYS     2..count+1          status:seat:{event}:n
--          count+2..2*count+1  lock:seat:{event}:n
-- ARGV[1]  channel of the event's seat feed
-- ARGV[2]  now, ms since 1970
-- ARGV[3]  lifetime of the feed version in ms
-- ARGV     then per seat seven: n, status ('' = only unlock), code, version, lifetime in ms (0 = forget the key),
--          observed ('' = by version; else: replace exactly this value, '-' meaning an absent key),
--          token whose lock is freed ('' = none)
-- RETURNS  {'settled', feed version, announced} | {'unchanged'}
local channel, now, feedLifetime = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local count, FIELDS, READ_AT_ONCE = (#KEYS - 1) / 2, 7, 2000
local changes, freed = {}, {}

local function mayWrite(current, version, observed)
  if observed ~= '' then
    return (current or '-') == observed
  end
  local known = current and tonumber(string.match(current, ':(%d+)$') or '0') or -1
  return version >= known
end

local known = {}
for from = 2, #KEYS, READ_AT_ONCE do
  local values = redis.call('MGET', unpack(KEYS, from, math.min(from + READ_AT_ONCE - 1, #KEYS)))
  for i = 1, #values do known[KEYS[from + i - 1]] = values[i] end
end

for i = 1, count do
  local at = 4 + (i - 1) * FIELDS
  local n, status, code, version = tonumber(ARGV[at]), ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local lifetime, observed, token = tonumber(ARGV[at + 4]), ARGV[at + 5], ARGV[at + 6]
  local current, value = known[KEYS[1 + i]], status .. ':' .. ARGV[at + 3]
  if status ~= '' and mayWrite(current, version, observed) then
    if lifetime > 0 then
      redis.call('SET', KEYS[1 + i], value, 'PX', lifetime)
    else
      redis.call('DEL', KEYS[1 + i])
    end
    known[KEYS[1 + i]] = lifetime > 0 and value
    if current ~= value then
      changes[#changes + 1] = { n, code }
    end
  end
  if token ~= '' and known[KEYS[1 + count + i]] == token then
    freed[#freed + 1] = KEYS[1 + count + i]
  end
end
if #freed > 0 then redis.call('DEL', unpack(freed)) end
if #changes == 0 then
  return { 'unchanged' }
end

local previous = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
local version = math.max(previous + 1, now)
redis.call('SET', KEYS[1], string.format('%.0f', version), 'PX', feedLifetime)
redis.call('PUBLISH', channel, cjson.encode({ previous = previous, version = version, changes = changes }))
return { 'settled', string.format('%.0f', version), #changes }
