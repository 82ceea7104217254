-- Decides how many people may be called now, and which limit says so. Put after admission.lua in call-next.lua.
-- Called are as many as will be let in: passes are counted when they are issued, so who is called beyond what then is
-- free waits at the door, and counts here.
local BURST_MIN, BURSTS_A_MINUTE, PACE_WINDOW = 10, 120, 60500
local SEATS_SPARE, SEATS_MIN, IDLE_COUNTS_MS = 1.25, 0.25, 120000
-- Expectations are a little wrong; who is called too many for the minute waits a second at the door.
local GAP_MAX_MS, RATE_SLACK = 1000, 1.02

local function brake() return (tonumber(meta.brake) or 1000) / 1000 end
local function seats_per_admission() return math.max(SEATS_MIN, (tonumber(meta.seatsPer) or SEATS_PRIOR) / 1000) end

-- Passes of the minute that will not be over yet when those called now have claimed.
local function issued_ahead()
  local count, buckets = issued(), {}
  local to = math.floor((now - WINDOW_MS + get('claimMs')) / BUCKET_MS) - 1
  for bucket = get('windowFrom'), to do buckets[#buckets + 1] = int(bucket) end
  if #buckets == 0 then return count end
  for _, passes in ipairs(redis.call('HMGET', ADMISSIONS, unpack(buckets))) do count = count - (tonumber(passes) or 0) end
  return count
end

-- People due by the rate, evenly over the minute, who have not claimed yet. What was not used is not saved up, but for
-- a burst; and of a door's time of the rate at most twice as many people are called, whatever is expected of them.
local function due_by_rate(rate, expected)
  local burst = math.max(BURST_MIN, rate / BURSTS_A_MINUTE)
  local most = (get('claims') + expected + burst) * 1000
  local gap = math.min(math.max(0, now - get('dueAt')), GAP_MAX_MS)
  local due = get('dueAt') == 0 and most or math.min(most, get('due') + rate * brake() * gap * 1000 / PACE_WINDOW)
  put('due', due)
  put('dueAt', now)
  local asked = OVER_CALL_MAX * math.max(burst, rate * door_ms() / WINDOW_MS) - get('openWidth')
  return math.min(due / 1000 - get('claims') - expected, asked / over_call())
end

-- As many admissions as the free seats serve, less the admitted who may still take some. Who had seen that there was
-- nothing left, or has looked for long, is not waited for.
local function served_by_seats()
  local idle = redis.call('ZCOUNT', IDLE, '(' .. int(math.max(get('emptyAt'), now - IDLE_COUNTS_MS)), '+inf')
  return math.ceil(get('seatsFree') * SEATS_SPARE / seats_per_admission()) - idle
end

-- How many to call, at most `most`, and the limit that says so.
local function how_many(most)
  local current = phase()
  if current ~= 'open' then return 0, (current == 'paused' or current == 'sold_out') and current or 'none' end
  if now < get('heldUntil') then return 0, 'held' end
  if get('seatsTotal') > 0 and get('seatsFree') == 0 then return 0, 'seats' end
  local expected, rate, active_max = still_to_claim(), tonumber(settings.admitPerMinute), tonumber(settings.activeMax)
  local promised, slots, limit = expected + redis.call('ZCARD', DOOR), math.huge, 'none'
  local function bound(by, free) if free < slots then slots, limit = free, by end end
  bound('active_max', active_max - live() - promised)
  if brake() < 1 then bound('health', math.max(1, math.floor(active_max * brake())) - live() - promised) end
  if rate then
    bound('rate', rate * RATE_SLACK - issued_ahead() - promised)
    bound(brake() < 1 and 'health' or 'rate', due_by_rate(rate, expected))
  elseif get('dueAt') > 0 then
    put('dueAt', 0)
  end
  if get('seatsTotal') > 0 then bound('seats', served_by_seats() - promised) end
  return math.min(most, math.max(0, math.floor(slots * over_call() + 1e-6))), limit
end

-- What limits the flow is what has done so for a second; each change is written down.
local function note_limit(limit)
  if limit == (meta.limit or 'none') then
    if meta.limitOff then redis.call('HDEL', META, 'limitOff') end
    return
  end
  if not meta.limitOff then return put('limitOff', now) end
  if now - get('limitOff') < STEP_EVERY_MS then return end
  local free = limit == 'none' or limit == 'no_one'
  meta.limit = limit
  redis.call('HSET', META, 'limit', limit)
  redis.call('HDEL', META, 'limitOff')
  if limit == 'paused' or limit == 'sold_out' or limit == 'held' then return end
  step(free and 'unlimited' or 'limited', { by = limit, live = live(), perMinute = issued(), expected = still_to_claim(),
    door = redis.call('ZCARD', DOOR), seatsFree = get('seatsFree'), overCall = over_call(), brake = brake(),
    reason = limit == 'health' and meta.brakeReason or nil })
end

local function take_brake(value, reason)
  if not value or value == '' or value == meta.brake then return end
  put('brake', value)
  put('brakeAt', now)
  meta.brakeReason = reason
  redis.call('HSET', META, 'brakeReason', reason)
  if meta.limit == 'health' and brake() < 1 then
    step('limited', { by = 'health', live = live(), brake = brake(), reason = reason })
  end
end

-- Calls those with priority who wait, one by one: of every hundred called at most `priorityShare`, as long as others
-- wait too. Whoever is called so gives the ordinary place up, and stands at the watermark.
local function call_priority(budget, waiting, call_alone, asked)
  local share = tonumber(settings.priorityShare) or 0
  if share == 0 or waiting + redis.call('ZCARD', LATE) <= budget then return end
  local credit = math.min(get('priorityCredit'), 100) + budget * share
  local most, called = math.min(budget, math.floor(credit / 100)), 0
  for _, account in ipairs(redis.call('ZRANGE', PRIORITY, 0, most + asked - 1)) do
    if called == most then break end
    local e = find_entrant(account)
    if not e or e.flag ~= 'w' or (e.place and e.place < get('serving')) then
      redis.call('ZREM', PRIORITY, account)
    elseif not redis.call('ZSCORE', ABSENT, account) then
      redis.call('ZREM', PRIORITY, account)
      redis.call('ZREM', AWAY, account)
      free_place(e)
      e.place, e.own = math.max(0, get('serving') - 1), true
      call_alone(e)
      called = called + 1
    end
  end
  put('priorityCredit', credit - called * 100)
end
