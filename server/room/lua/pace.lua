-- Measures how fast the line moves, in windows of time in which it could move: who was passed, inside, leaving.
-- Put after admission.lua in call-next.lua. A pause, a held room or a full house leaves a gap, and after a gap a window
-- starts anew. A window is "ms passed calls exits insideMs batch waiting left starved activeMax rate admitted".
local PACE_WINDOW_MS, PACE_WINDOWS, PACE_GAP_MS = 10000, 60, 5000

local function numbers(text)
  local found = {}
  for number in string.gmatch(text or '', '%S+') do found[#found + 1] = tonumber(number) end
  return found
end

-- People who gave up waiting, ever. Whoever comes back after a lost Redis counts against it, so it may fall.
local function left_so_far(waiting) return get('arrivals') - waiting - get('passed') end

-- `passed`: people the watermark went over in this tick; `called`: all who were called in it, also one by one.
local function measure_pace(passed, called)
  local at = now
  put('passed', get('passed') + passed)
  put('calls', get('calls') + called)
  if not meta.seatsAtStart and get('seatsTotal') > 0 then put('seatsAtStart', get('seatsFree')) end
  local inside = live() + get('outstanding') + redis.call('ZCARD', DOOR)
  local from, seen, was, atStart, insideMs, batch, starved, passed0, calls0, admitted0, left0 =
    unpack(numbers(meta.pace))
  local fresh = not left0 or at < seen or at - seen > PACE_GAP_MS
  if not fresh then
    insideMs, batch = insideMs + was * (at - seen), batch + called * called
    if get('serving') >= get('arrivals') then starved = 1 end
  end
  if fresh or at - from >= PACE_WINDOW_MS then
    local waiting = people(get('serving'), get('arrivals'))
    local left = left_so_far(waiting)
    if not fresh then
      local calls = get('calls') - calls0
      redis.call('RPUSH', PACE, table.concat({ int(at - from), int(get('passed') - passed0), int(calls),
        int(calls + atStart - inside), int(insideMs), int(batch), int(waiting), int(math.max(0, left - left0)),
        int(starved), settings.activeMax, tonumber(settings.admitPerMinute) or 0, int(get('admitted') - admitted0) }, ' '))
      redis.call('LTRIM', PACE, -PACE_WINDOWS, -1)
    end
    from, atStart, insideMs, batch, starved = at, inside, 0, 0, 0
    passed0, calls0, admitted0, left0 = get('passed'), get('calls'), get('admitted'), left
  end
  meta.pace = table.concat({ int(from), int(at), int(inside), int(atStart), int(insideMs), int(batch), int(starved),
    int(passed0), int(calls0), int(admitted0), int(left0) }, ' ')
  redis.call('HSET', META, 'pace', meta.pace)
end
