-- Decides whether a pass may be issued now, and issues it: never more than activeMax live, never more than
-- admitPerMinute in any 60 s. Put after line.lua in the scripts that end turns or issue passes.
local WINDOW_MS, BUCKET_MS, WAITS_KEPT = 60000, 250, 1000

local function live() return redis.call('ZCOUNT', ACTIVE, '(' .. int(now), '+inf') end

-- Passes of the last 60 s. A quarter second leaves the window when its end does, so the count errs towards too many.
local function issued()
  local last = math.floor((now - WINDOW_MS) / BUCKET_MS) - 1
  local from = tonumber(meta.windowFrom) or last
  if last - from > 2 * WINDOW_MS / BUCKET_MS then
    redis.call('DEL', ADMISSIONS)
    put('windowCount', 0)
  else
    for bucket = from, last do
      local count = redis.call('HGET', ADMISSIONS, int(bucket))
      if count then
        redis.call('HDEL', ADMISSIONS, int(bucket))
        put('windowCount', get('windowCount') - count)
      end
    end
  end
  if last + 1 > from then put('windowFrom', last + 1) end
  return get('windowCount')
end

local function may_admit()
  local rate = tonumber(settings.admitPerMinute)
  return phase() == 'open' and now >= get('heldUntil') and live() < tonumber(settings.activeMax)
    and (not rate or issued() < rate)
end

local function admit(e)
  -- A clock that went back a little must not count into a quarter second that has already left.
  local bucket = math.max(math.floor(now / BUCKET_MS), get('lastBucket'), tonumber(meta.windowFrom) or 0)
  issued()
  redis.call('HINCRBY', ADMISSIONS, int(bucket), 1)
  put('lastBucket', bucket)
  put('windowCount', get('windowCount') + 1)
  put('admitted', get('admitted') + 1)
  if get('liveWhenLowered') > 0 then put('liveWhenLowered', 0) end
  redis.call('ZADD', ACTIVE, int(now + settings.passSeconds * 1000), e.account)
  redis.call('ZADD', IDLE, int(now), e.account)
  e.flag, e.admitted = 'a', since_joining(e, now)
  save_entrant(e)
  local waited = math.max(0, now - e.joined) / 1000
  redis.call('LPUSH', WAITS, waited)
  redis.call('LTRIM', WAITS, 0, WAITS_KEPT - 1)
  return waited
end

-- A pass is over: what its holder took is what the next are expected to take.
local SEATS_PRIOR, SEATS_MEMORY = 2000, 20
local function see_off(account)
  redis.call('ZREM', IDLE, account)
  local took, usual = tonumber(redis.call('HGET', TAKEN, account)) or 0, tonumber(meta.seatsPer) or SEATS_PRIOR
  if took > 0 then redis.call('HDEL', TAKEN, account) end
  put('seatsPer', usual + (took * 1000 - usual) / SEATS_MEMORY)
end

-- Lets in from the door, lowest place first, at most `limit`. Answers the accounts and how long each waited.
local function open_door(limit)
  local accounts, waited = {}, {}
  while #accounts < limit and may_admit() do
    local account = redis.call('ZPOPMIN', DOOR)[1]
    if not account then break end
    local e = find_entrant(account)
    if e and e.flag == 'd' then
      accounts[#accounts + 1] = account
      waited[#waited + 1] = tostring(admit(e))
    end
  end
  return accounts, waited
end

-- True for the server whose clock ticks; the fencing number tells a holder that lost the lease from the next one.
local function holds_lease(fence) return get('fence') == fence and get('leaseUntil') > now end
