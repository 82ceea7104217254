-- Decides an account's one place: the place it has, the place its earlier ticket proves, or the next number.
-- KEYS: the room's (line.lua).  ARGV: now, channel, account, socket ('' = over HTTP), number and epoch of a verified
-- ticket ('' = none), seconds a client without a socket is believed to be there at the least, priority '1' | '',
-- '1' when the ticket's number is known to be on the drawn list.
-- RETURNS { joined | resumed | restored | refused | unknown, … } as answer() says; refused adds the phase; { prove }
-- when the ticket counts only once its number was found on the drawn list.
if not meta.epoch then return { 'unknown' } end
local account, socket, seconds = ARGV[3], ARGV[4], tonumber(ARGV[7])
local number, epoch = tonumber(ARGV[5]), tonumber(ARGV[6])

local function present(e)
  if socket ~= '' and e.socket ~= '' and e.socket ~= socket then
    tell({ kind = 'replaced', account = account, socket = e.socket })
  end
  come_back(e)
  if socket ~= '' then e.socket = socket end
  save_entrant(e)
  if e.socket ~= '' then
    redis.call('ZREM', AWAY, account)
  else
    redis.call('ZADD', AWAY, int(believed_until(seconds)), account)
  end
end

-- Stands in the ordinary line, and among those with priority as well.
local function enter_ahead(e)
  if ARGV[8] ~= '1' or e.flag ~= 'w' then return end
  e.priority = '1'
  redis.call('ZADD', PRIORITY, int(e.number), account)
end

local e = find_entrant(account)
local state = state_of(e)
if state ~= 'outside' then
  if state == 'waiting' then enter_ahead(e) end
  present(e)
  return answer('resumed', account)
end
local current = phase()
if current ~= 'lobby' and current ~= 'open' and current ~= 'paused' and current ~= 'sold_out' then
  return { 'refused', current }
end

redis.call('ZREM', ACTIVE, account)
local known = e
e = { account = account, flag = 'w', deferred = '0', joined = now, socket = '', turn = '' }
-- Within an epoch Redis knows better than a ticket; of an earlier one the ticket is all there is. A number that was
-- given out twice because Redis was lost twice goes to whoever comes first.
-- Who has had a place in this epoch has used the ticket up.
local proven = not known and number and epoch < get('epoch') and number < get('restoredTo') and number >= get('voidBelow')
  -- A list that was read in this epoch holds everybody who had come back by then.
  and number >= get('restoredFrom') and not (meta.listed and not meta.drawn and number < get('entrants'))
local at = proven and (place_of(number) or number)
proven = proven and redis.call('ZCOUNT', RETURNED, int(at), int(at)) == 0
if proven and number < get('drawn') and ARGV[9] ~= '1' then return { 'prove' } end

if current == 'open' or current == 'sold_out' then
  if meta.plain ~= '1' and not meta.drawn then put('plain', 1) end
elseif meta.plain ~= '1' and get('lobby') == 0 and not meta.entrants then
  -- Whoever is here before the sale starts is drawn for; a pause before it changes nothing of that. A place that was
  -- told in a pause after it stays what it is, wherever the start is moved to.
  local early = current == 'lobby' or now < (tonumber(settings.onSaleAt) or 0)
  put(early and 'lobby' or 'plain', 1)
end
if proven then
  e.number, e.place = number, place_of(number)
  redis.call('ZADD', RETURNED, int(at), account)
  if at < get('serving') then
    e.flag = 'l'
    redis.call('ZADD', LATE, int(at), account)
  end
else
  e.number = redis.call('HINCRBY', META, 'arrivals', 1) - 1
  e.place = place_of(e.number)
end
enter_ahead(e)
present(e)
return answer(proven and 'restored' or 'joined', account)
