-- Takes back the live passes a server remembers of the epoch that was lost, and, once one remembers all of them, lets
-- admission go on when those who are connected have had time to come back: their passes count again as they did.
-- Servers may differ about a pass that ended shortly before: whoever knows its end is right, in whichever order they
-- speak. Never more than activeMax are taken back: what is beyond is good as long as nobody is admitted, to its end.
-- KEYS: the room's (line.lua).  ARGV: now, channel, epoch they are of, how long to hold all the same (ms), '1' when this
-- server knew all of them, then for each pass: account, number, issued and end (ms), live | over.
-- RETURNS { returned, how many were not known } | { early } | { older } | { unknown }.
if not meta.epoch then return { 'unknown' } end
local epoch, complete, returned, over = tonumber(ARGV[3]), ARGV[5] == '1', 0, {}
if epoch ~= get('epoch') - 1 or now >= get('heldUntil') then
  redis.call('DEL', SPENT)
  return { 'older' }
end
-- The limit is pushed right after the epoch has begun.
if not settings.version then return { 'early' } end
local first = meta.passesOf ~= ARGV[3]
issued()
local function count(at)
  if at <= now - WINDOW_MS then return end
  local bucket = math.max(math.floor(at / BUCKET_MS), tonumber(meta.windowFrom) or 0)
  redis.call('HINCRBY', ADMISSIONS, int(bucket), 1)
  put('lastBucket', math.max(bucket, get('lastBucket')))
  put('windowCount', get('windowCount') + 1)
end
for i = 6, #ARGV, 5 do
  local account, number, at, ends = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
  local e = find_entrant(account)
  if ARGV[i + 4] == 'over' then
    if complete and first then count(at) end
    redis.call('HSET', SPENT, account, int(ends))
    if e and e.flag == 'a' and tonumber(redis.call('ZSCORE', ACTIVE, account)) == ends then
      redis.call('ZREM', ACTIVE, account)
      redis.call('HDEL', ENTRANTS, account)
      over[#over + 1] = account
    end
  -- Who left or came back otherwise has said so in this epoch.
  elseif not e and ends > now and tonumber(redis.call('HGET', SPENT, account)) ~= ends then
    count(at)
    if live() < tonumber(settings.activeMax) then
      redis.call('ZADD', ACTIVE, int(ends), account)
      save_entrant({ account = account, number = number, place = number, flag = 'a', deferred = '1',
        joined = math.min(at, now), socket = '', turn = '' })
      put('admitted', get('admitted') + 1)
      returned = returned + 1
    else
      put('overfull', 1)
      put('heldUntil', get('heldAtMost'))
    end
  end
end
if #over > 0 then tell({ kind = 'ended', accounts = over, reason = 'pass_expired' }) end
if complete then
  redis.call('HSET', META, 'passesOf', ARGV[3])
  if get('overfull') == 0 then
    put('heldUntil', math.min(get('heldUntil'), math.max(now, get('restoredAt') + tonumber(ARGV[4]))))
  end
  tell({ kind = 'changed' })
end
return { 'returned', returned }
