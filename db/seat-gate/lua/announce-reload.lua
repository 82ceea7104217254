-- Decides the version at which every reader of an event's seat feed starts anew, and tells them.
-- KEYS[1]  status:seat:{event}:version
-- ARGV[1]  channel of the event's seat feed
-- ARGV[2]  now, ms since 1970
-- ARGV[3]  lifetime of the feed version in ms
-- ARGV[4]  the `previous` that no reader can be at
-- RETURNS  {'announced', feed version}
local feedVersion = KEYS[1]
local channel, now, lifetime, nowhere = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]

local previous = tonumber(redis.call('GET', feedVersion) or '0') or 0
local version = string.format('%.0f', math.max(previous + 1, now))
redis.call('SET', feedVersion, version, 'PX', lifetime)
redis.call('PUBLISH', channel, '{"previous":' .. nowhere .. ',"version":' .. version .. ',"changes":[]}')
return { 'announced', version }
