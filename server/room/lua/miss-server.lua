-- Starts the grace of everybody whose connection was held by a server nobody hears of any more, a part a call: a walk
-- over the line that begins only when a server is missing, so that a place costs no byte for it. The grace runs from
-- when the server was missed, however long the walk takes.
-- KEYS: the room's (line.lua).  ARGV: now, channel, fencing number, silence that means missing (ms), about how many
-- records a call.
-- RETURNS { missed, people whose grace began } | { stale } | { unknown }.
if not meta.epoch then return { 'unknown' } end
if not holds_lease(tonumber(ARGV[3])) then return { 'stale' } end
if not meta.missCursor then
  local before = now - tonumber(ARGV[4])
  -- Redis itself may have been away: servers get their time to be heard of again.
  if get('aliveSince') > before then return { 'missed', 0 } end
  if redis.call('ZCOUNT', SERVERS, '-inf', '(' .. int(before)) == 0 then return { 'missed', 0 } end
  put('missBefore', before)
  put('missFrom', room_now())
  put('missCursor', 0)
end

local missing, missed = {}, 0
local function is_missing(server)
  if missing[server] == nil then
    local seen = tonumber(redis.call('ZSCORE', SERVERS, server))
    missing[server] = seen ~= nil and seen < get('missBefore')
  end
  return missing[server]
end

local scanned = redis.call('HSCAN', ENTRANTS, meta.missCursor, 'COUNT', ARGV[5])
for i = 1, #scanned[2], 2 do
  local e = read_entrant(scanned[2][i], scanned[2][i + 1])
  local server = string.match(e.socket, '^(%w+)%.')
  if server and is_missing(server) then
    e.socket = ''
    if lose(e, get('missFrom')) then missed = missed + 1 end
    save_entrant(e)
  end
end
redis.call('HSET', META, 'missCursor', scanned[1])
if scanned[1] == '0' then
  redis.call('HDEL', META, 'missCursor')
  redis.call('ZREMRANGEBYSCORE', SERVERS, '-inf', '(' .. int(get('missBefore')))
end
return { 'missed', missed }
