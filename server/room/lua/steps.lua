-- Writes down why the line flows as it does: each step of the watermark, and each change of what limits it.
-- Put after line.lua in the scripts that change the flow. Figures count from one entry to the next, so that they add up.
local STEPS_KEPT, STEP_EVERY_MS = 2000, 1000

local function since_last(total)
  local count = get(total) - get(total .. 'Told')
  if count ~= 0 then put(total .. 'Told', get(total)) end
  return count
end
local function step(kind, detail)
  put('step', get('step') + 1)
  put('stepAt', now)
  redis.call('XADD', STEPS, 'MAXLEN', '~', STEPS_KEPT, int(get('step')) .. '-0', 'step', cjson.encode({
    epoch = get('epoch'), seq = get('step'), at = now, kind = kind, serving = get('serving'),
    called = since_last('calls'), claimed = since_last('claims'), noShows = since_last('noShows'),
    active = redis.call('ZCOUNT', ACTIVE, '(' .. int(now), '+inf'), detail = detail,
  }))
end
-- Calls of one second are one entry.
local function step_calls()
  if now - get('stepAt') < STEP_EVERY_MS then return end
  if get('calls') > get('callsTold') or get('claims') > get('claimsTold') or get('noShows') > get('noShowsTold') then
    step('called')
  end
end

-- What of the settings another than `before` is.
local TOLD_SETTINGS = { 'enabled', 'activeMax', 'admitPerMinute', 'doorSeconds', 'passSeconds', 'graceSeconds',
  'priorityShare', 'challenge', 'lobbyAt', 'onSaleAt' }
local function step_settings(before)
  local changes, some = {}, false
  for _, field in ipairs(TOLD_SETTINGS) do
    local was, is = before[field] or '', settings[field] or ''
    if was ~= is and before.version then
      changes[field], some = { was, is }, true
    end
  end
  if some then step('settings', changes) end
end

local PHASE_STEPS = { paused = 'paused', sold_out = 'sold_out', closed = 'closed' }
-- Takes note of the phase; true when it is another than before.
local function enter_phase(current)
  local before = meta.phase
  if before == current then return false end
  meta.phase = current
  redis.call('HSET', META, 'phase', current)
  if current == 'open' and meta.opened ~= '1' then put('opened', 1) end
  if current == 'open' and meta.openedTold ~= '1' then
    put('openedTold', 1)
    step('opened', { waiting = people(get('serving'), get('arrivals')) })
  elseif current == 'open' then
    step(before == 'sold_out' and 'returned' or 'resumed', { seatsFree = get('seatsFree') })
  elseif PHASE_STEPS[current] then
    step(PHASE_STEPS[current])
  end
  return true
end
