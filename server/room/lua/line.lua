-- Names the keys and reads the line: who stands where, which phase it is, how the room's own time runs.
-- Put before every other script. ARGV[1] = now (ms since 1970), ARGV[2] = the feed channel; the rest is each script's.
-- The last one is taken off here: the life of Redis its caller is connected to ('' = not known, as in a cluster).
local META, SETTINGS, ENTRANTS, GONE, RETURNED, LATE, TURNS, DUE, OUTSTANDING, ACTIVE, ADMISSIONS, DOOR, AWAY, WAITS,
  PACE, ABSENT, WIDTHS, IDLE, TAKEN, HEALTH, PRIORITY, STEPS, SERVERS, DRAW, HOLES, LEFT, CURVE, SPENT =
  unpack(KEYS)
local life = table.remove(ARGV)
local now, channel = tonumber(ARGV[1]), ARGV[2]

local function read_hash(key)
  local flat, fields = redis.call('HGETALL', key), {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  return fields
end
local past, settings = read_hash(META), read_hash(SETTINGS)
-- A line of an earlier life of Redis may have lost its latest moves: nobody knows it until lua/adopt.lua has judged it.
local meta = (past.outrun == '1' or (life ~= '' and past.life ~= life)) and {} or past
local function int(text) return string.format('%.0f', text) end
local function get(field) return tonumber(meta[field]) or 0 end
local function put(field, value)
  meta[field] = int(value)
  redis.call('HSET', META, field, meta[field])
end
local function tell(message) redis.call('PUBLISH', channel, cjson.encode(message)) end

local function phase()
  if settings.enabled ~= '1' then return 'off' end
  if settings.control == 'closed' or settings.status == 'CANCELLED' then return 'closed' end
  if settings.control == 'paused' then return 'paused' end
  if settings.status == 'DRAFT' then return 'scheduled' end
  if settings.control ~= 'open' and now < (tonumber(settings.onSaleAt) or 0) then
    return now < (tonumber(settings.lobbyAt) or 0) and 'scheduled' or 'lobby'
  end
  -- Who came in the lobby waits for the draw, however long after the sale's start it comes.
  if get('lobby') == 1 and not meta.drawn then return 'lobby' end
  if get('seatsTotal') > 0 and get('seatsFree') == 0 and get('seatsReserved') == 0 then return 'sold_out' end
  return 'open'
end
-- Whether the list of the lobby is to be closed, or what follows is to be finished. Where the first comes when the sale
-- has started (`plain`) the list is closed empty: from then on it is known that there is no draw.
local function draw_due(current)
  if meta.drawn or meta.entrants == '0' then return false end
  if meta.plain == '1' then return not meta.entrants end
  return current == 'lobby' and get('lobby') == 1
    and (meta.entrants or settings.control == 'open' or now >= (tonumber(settings.onSaleAt) or 0))
end
-- Turns and lost connections run out in room time, which stands still while the room is paused or off.
local function room_now() return (tonumber(meta.frozenAt) or now) - get('frozenMs') end
local function wall(room_ms) return room_ms + now - room_now() end
-- Until when somebody without a socket is believed to be there: the grace, and `seconds` at the least.
local function believed_until(seconds) return room_now() + math.max(seconds, tonumber(settings.graceSeconds) or 0) * 1000 end

-- People with a place in [from, to), before the draw with a number in it. Those in [restoredFrom, restoredTo) are there
-- only if they came back, all others unless they have gone.
local function people(from, to)
  local low = math.min(math.max(from, get('restoredFrom')), to)
  local high = math.min(math.max(low, get('restoredTo')), to)
  local function stay(a, b) return b > a and b - a - redis.call('ZCOUNT', GONE, int(a), '(' .. int(b)) or 0 end
  local back = high > low and redis.call('ZCOUNT', RETURNED, int(low), '(' .. int(high)) or 0
  return stay(from, low) + back + stay(high, to)
end

-- The place of a number below `drawn`: the permutation of server/protocol/draw.ts, its round tables read from DRAW.
local ROUND_PAIRS = 6
local function drawn_place(number)
  local rows = math.ceil(math.sqrt(get('drawn')))
  local columns = math.ceil(get('drawn') / rows)
  local function word(i) return struct.unpack('>I4', redis.call('GETRANGE', DRAW, i * 4, i * 4 + 3)) end
  local place = number
  repeat
    local row, column, at = math.floor(place / columns), place % columns, 0
    for _ = 1, ROUND_PAIRS do
      row = (row + word(at + column)) % rows
      column = (column + word(at + columns + row)) % columns
      at = at + columns + rows
    end
    place = row * columns + column
  until place < get('drawn')
  return place
end
-- Where a number stands; nil while it waits for the draw.
local function place_of(number)
  if number < get('drawn') then return drawn_place(number) end
  if get('lobby') == 1 and not meta.drawn and number < (tonumber(meta.entrants) or math.huge) then return nil end
  return number
end

local function read_entrant(account, raw)
  local number, place, flag, deferred, joined, socket, turn, called, admitted, ended, why, priority = string.match(raw,
    '^(%d+):(%d*):(%a):(%d):(%d+):([^:]*):([^;]*);?(%d*),?(%d*),?(%d*),?(%a?),?(%d?)$')
  number = tonumber(number)
  return { account = account, number = number, place = tonumber(place) or place_of(number), own = place ~= '', flag = flag,
    deferred = deferred, joined = tonumber(joined), socket = socket, turn = turn,
    called = called, admitted = admitted, ended = ended, why = why, priority = priority }
end
local function find_entrant(account)
  local raw = redis.call('HGET', ENTRANTS, account)
  return raw and read_entrant(account, raw) or nil
end
-- A place is kept only when it is the entrant's own (`own`): stepped back, or called; else the number tells it.
local function save_entrant(e)
  local times = table.concat({ e.called or '', e.admitted or '', e.ended or '', e.why or '', e.priority or '' }, ',')
  redis.call('HSET', ENTRANTS, e.account, table.concat(
    { int(e.number), e.own and int(e.place) or '', e.flag, e.deferred, int(e.joined), e.socket, e.turn }, ':')
    .. (times == ',,,,' and '' or ';' .. times))
end
-- A moment as a record keeps it: whole seconds since its joining.
local function since_joining(e, at) return int(math.max(0, math.floor((at - e.joined) / 1000))) end
-- Who has gone stays known until joining again, for the list of the line after the sale. why: l left, p pass over.
local function end_entrant(e, why, at)
  e.flag, e.socket, e.turn, e.why, e.ended = 'x', '', '', why, since_joining(e, at)
  save_entrant(e)
end

-- Somebody who waited has gone: the place, before the draw the number, is nobody's from now on.
local function free_place(e)
  local at = e.place or e.number
  if e.flag == 'w' and (at >= get('restoredTo') or at < get('restoredFrom')) then
    redis.call('ZADD', GONE, int(at), int(at))
  end
  if not e.place and meta.entrants then redis.call('RPUSH', LEFT, int(e.number)) end
  redis.call('ZREM', RETURNED, e.account)
  redis.call('ZREM', LATE, e.account)
end

-- Flags: w in the line, l to be called alone, c called alone, d at the door, a admitted, x gone.
-- Answers outside|waiting|called|door|admitted, and for outside why, for called the turn, for admitted its end.
local function state_of(e)
  if not e then return 'outside', '' end
  if e.flag == 'x' then return 'outside', e.why == 'p' and 'pass_expired' or 'left' end
  if e.flag == 'a' then
    local ends = tonumber(redis.call('ZSCORE', ACTIVE, e.account)) or 0
    if ends > now then return 'admitted', ends end
    return 'outside', 'pass_expired'
  end
  if e.number < get('voidBelow') then return 'outside', 'closed' end
  if e.flag == 'd' then return 'door', '' end
  if e.flag == 'l' or (e.flag == 'w' and (not e.place or e.place >= get('serving'))) then return 'waiting', '' end
  local turn = e.turn
  if e.flag == 'w' then turn = redis.call('ZREVRANGEBYSCORE', TURNS, int(e.place), '-inf', 'LIMIT', 0, 1)[1] end
  local to = turn and tonumber(string.match(turn, ':(%d+)$')) or 0
  local due = turn and (e.flag == 'c' or to > e.place) and tonumber(redis.call('ZSCORE', DUE, turn)) or 0
  if due > room_now() then return 'called', turn end
  -- Away when the turn ran out: called alone when back.
  if e.socket == '' and redis.call('ZSCORE', ABSENT, e.account) then return 'waiting', '' end
  return 'outside', 'no_show'
end

-- What every move answers: word, state, detail, number, place, epoch, joinedMs, socket, deferred, priority.
local function answer(word, account)
  local e = find_entrant(account)
  local state, detail = state_of(e)
  if state == 'called' then detail = wall(tonumber(redis.call('ZSCORE', DUE, detail))) end
  if type(detail) == 'number' then detail = int(detail) end
  if state == 'outside' then return { word, state, detail, '', '', int(get('epoch')), '', '', '', '' } end
  return { word, state, detail, int(e.number), e.place and int(e.place) or '', int(get('epoch')), int(e.joined), e.socket, e.deferred,
    e.priority }
end
