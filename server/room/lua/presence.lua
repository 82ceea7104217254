-- Decides what a lost connection and a return mean for somebody who waits, is called or stands at the door.
-- Put after turns.lua. The watermark goes over whoever is away without counting them, so that a closed tab holds nobody
-- up; the turn may still be claimed until it is due, and after that the place is kept for the grace and called alone.

-- Starts the absence of somebody whose socket is gone (e.socket = '' already), `from` a moment of room time if not now;
-- the caller saves. False: nothing to keep.
local function lose(e, from)
  local state, turn = state_of(e)
  if state == 'door' then
    redis.call('ZREM', DOOR, e.account)
  elseif state == 'called' then
    -- Once only: a turn could be renewed for ever by letting the connection go.
    if string.match(turn, '^again') then return false end
    step_out(turn)
    if e.flag == 'w' then e.turn = 'lost' end
  elseif state ~= 'waiting' then
    return false
  end
  if state ~= 'door' then
    redis.call('ZREM', LATE, e.account)
    redis.call('ZADD', ABSENT, e.flag == 'w' and (e.place and int(e.place) or '+inf') or int(-e.place - 1), e.account)
  end
  redis.call('ZADD', AWAY, int((from or room_now()) + settings.graceSeconds * 1000), e.account)
  return true
end

-- Somebody is there again, by a socket or over HTTP; the caller saves. True when the record changed.
local function come_back(e)
  if e.flag == 'd' then
    redis.call('ZADD', DOOR, int(e.place), e.account)
    return false
  end
  if redis.call('ZREM', ABSENT, e.account) == 0 then return false end
  if e.flag == 'w' and (not e.place or e.place >= get('serving')) then return false end
  local state, turn = state_of(e)
  local due = state == 'called' and tonumber(redis.call('ZSCORE', DUE, turn)) or 0
  -- Too little time left is a turn of its own.
  if due - room_now() >= door_ms() / 2 then
    rejoin_turn(turn)
    return false
  end
  e.flag, e.turn = 'l', e.turn ~= '' and 'again' or ''
  redis.call('ZADD', LATE, int(e.place), e.account)
  return true
end

-- Takes somebody out of a turn without a claim: nothing is to be given back for those who are away.
local function quit_turn(e, turn)
  if redis.call('ZREM', ABSENT, e.account) == 0 then step_out(turn) end
end
