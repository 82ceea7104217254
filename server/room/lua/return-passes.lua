-- Takes back the live passes a server remembers of the epoch that was lost, and, once one remembers all of them, lets
-- admission go on when those who are connected have had time to come back: their passes count again as they did.
-- KEYS: the room's (line.lua).  ARGV: now, channel, epoch they are of, how long to hold all the same (ms), '1' when this
-- server knew all of them, then for each pass: account, number, issued and end (ms; an end in the past = only issued).
-- RETURNS { returned, how many were not known } | { older } | { unknown }.
if not meta.epoch then return { 'unknown' } end
local epoch, complete, returned = tonumber(ARGV[3]), ARGV[5] == '1', 0
if epoch ~= get('epoch') - 1 or now >= get('heldUntil') then return { 'older' } end
local first = meta.passesOf ~= ARGV[3]
issued()
local function count(at)
  local bucket = math.max(math.floor(at / BUCKET_MS), tonumber(meta.windowFrom) or 0)
  redis.call('HINCRBY', ADMISSIONS, int(bucket), 1)
  put('lastBucket', math.max(bucket, get('lastBucket')))
  put('windowCount', get('windowCount') + 1)
end
for i = 6, #ARGV, 4 do
  local account, number, at, ends = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
  local e = find_entrant(account)
  -- Who left or came back otherwise has said so in this epoch.
  if ends <= now then
    if complete and first then count(at) end
  elseif not e then
    redis.call('ZADD', ACTIVE, int(ends), account)
    save_entrant({ account = account, number = number, place = number, flag = 'a', deferred = '1',
      joined = math.min(at, now), socket = '', turn = '' })
    put('admitted', get('admitted') + 1)
    count(at)
    returned = returned + 1
  end
end
if complete then
  redis.call('HSET', META, 'passesOf', ARGV[3])
  put('heldUntil', math.min(get('heldUntil'), math.max(now, get('restoredAt') + tonumber(ARGV[4]))))
  tell({ kind = 'changed' })
end
return { 'returned', returned }
