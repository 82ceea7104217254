-- Takes the organiser's settings unless newer ones are here; freezes room time on a pause, ends every place on a close.
-- KEYS: the room's (line.lua).  ARGV: now, channel, version, then pairs of field and value.
-- RETURNS { configured, phase } | { older } | { unknown }.
if not meta.epoch then return { 'unknown' } end
local version = tonumber(ARGV[3])
if (tonumber(settings.version) or -1) > version then return { 'older' } end
local changed = (tonumber(settings.version) or -1) < version
local rate_before = tonumber(settings.admitPerMinute) or math.huge
local before = settings
redis.call('DEL', SETTINGS)
redis.call('HSET', SETTINGS, 'version', ARGV[3], unpack(ARGV, 4))
settings = read_hash(SETTINGS)

-- What was given out before a limit was lowered kept the limit of its time; the audit needs to know.
if changed then
  local live = redis.call('ZCOUNT', ACTIVE, '(' .. int(now), '+inf')
  put('liveWhenLowered', live > tonumber(settings.activeMax) and live or 0)
  if (tonumber(settings.admitPerMinute) or math.huge) < rate_before then put('rateLoweredAt', now) end
end

local current = phase()
local frozen = current == 'paused' or current == 'off'
if frozen and not meta.frozenAt then put('frozenAt', now) end
if not frozen and meta.frozenAt then
  put('frozenMs', get('frozenMs') + now - get('frozenAt'))
  redis.call('HDEL', META, 'frozenAt')
  meta.frozenAt = nil
end
if current == 'closed' and get('voidBelow') < get('arrivals') then
  -- Whoever stood below and did not claim had missed the turn before the room closed.
  local open_turn = redis.call('ZRANGE', TURNS, 0, 0, 'WITHSCORES')[2]
  put('closedFrom', open_turn or get('serving'))
  put('voidBelow', get('arrivals'))
  -- Numbers that wait for a draw have no place to be passed over; they are nobody's from now on.
  if get('lobby') == 1 and not meta.drawn then
    put('restoredTo', get('arrivals'))
    redis.call('DEL', RETURNED)
  else
    put('serving', get('arrivals'))
  end
  put('outstanding', 0)
  redis.call('DEL', GONE, LATE, TURNS, DUE, OUTSTANDING, DOOR, AWAY, ABSENT, WIDTHS, PRIORITY)
  put('openWidth', 0)
end
if changed then step_settings(before) end
if enter_phase(current) then changed = true end
if changed then tell({ kind = 'changed' }) end
return { 'configured', current }
