-- Says that a server is there with sockets of this room, and what it knows of the line: a line that knows less of its
-- own epoch has lost moves, and is known no more. Tells the server which passes were issued since it last asked.
-- KEYS: the room's (line.lua).  ARGV: now, channel, server ('' = only says what it knows), epoch, arrivals, serving,
-- passes issued, which passes to tell: those that end at this time (ms) or later, less the first so many, at most how many.
-- RETURNS { attended, when it was last heard of (ms, '' = never), epoch, arrivals, serving, passes issued, passes live, then
-- for each pass account, number, end } | { outrun } | { unknown }.
if past.epoch == ARGV[4] then
  for i, field in ipairs({ 'arrivals', 'serving', 'admitted' }) do
    if (tonumber(past[field]) or 0) < tonumber(ARGV[4 + i]) then
      redis.call('HSET', META, 'outrun', 1)
      return { 'outrun' }
    end
  end
end
if not meta.epoch then return { 'unknown' } end
local server, seen = ARGV[3], ''
if server ~= '' then
  seen = redis.call('ZSCORE', SERVERS, server) or ''
  redis.call('ZADD', SERVERS, int(now), server)
end
local reply = { 'attended', seen, meta.epoch, int(get('arrivals')), int(get('serving')), int(get('admitted')),
  redis.call('ZCOUNT', ACTIVE, '(' .. int(now), '+inf') }
local passes = redis.call('ZRANGEBYSCORE', ACTIVE, ARGV[8], '+inf', 'WITHSCORES', 'LIMIT', ARGV[9], ARGV[10])
for i = 1, #passes, 2 do
  local e = find_entrant(passes[i])
  for _, value in ipairs({ passes[i], e and int(e.number) or 0, int(passes[i + 1]) }) do reply[#reply + 1] = value end
end
return reply
