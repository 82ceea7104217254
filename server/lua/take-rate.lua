-- Decides whether one more request fits under a rate: the generic cell rate algorithm, one number a caller.
-- The number is the time at which the caller's burst would be whole again, in ms since 1970.
-- KEYS: 1 rate:<limit>:<caller>   string, expires when the burst is whole
-- ARGV: 1 now (ms)   2 interval between requests at the steady rate (ms)   3 burst (requests)
-- RETURNS: { 'ok', <requests the steady rate has not worn off yet, this one included, text> } or { 'wait', <ms until one fits, text> }
local key = KEYS[1]
local now, interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local whole = math.max(tonumber(redis.call('GET', key) or now), now)
local after = whole + interval
local wait = after - interval * burst - now
if wait > 0 then
  return { 'wait', tostring(math.ceil(wait)) }
end
redis.call('SET', key, string.format('%.3f', after), 'PX', math.ceil(after - now))
return { 'ok', tostring(math.ceil((after - now) / interval)) }
