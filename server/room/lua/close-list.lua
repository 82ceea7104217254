-- Closes the list of the lobby: numbers given so far are drawn, later ones line up behind them. Then says when it may be
-- read: after a lost Redis, whoever has a ticket is given time to come back onto it first. A repeat answers the same.
-- KEYS: the room's (line.lua).  ARGV: now, channel, fencing number, how long to wait for tickets (ms), what for: '' to
-- close, 'read' to start reading, else the root to show to everybody.
-- RETURNS { closed, entrants, closed at (ms), void below, '1' when it may be read | '', '1' when reading has begun | '',
-- epoch } | { early } | { stale } | { unknown }.
if not meta.epoch then return { 'unknown' } end
if not holds_lease(tonumber(ARGV[3])) then return { 'stale' } end
if not draw_due(phase()) then return { 'early' } end
if not meta.entrants then
  put('closedAt', now)
  put('entrants', meta.plain == '1' and 0 or get('arrivals'))
end
local may_read = get('epoch') == 1 or now >= get('restoredAt') + tonumber(ARGV[4])
if ARGV[5] == 'read' then
  -- From here on an old ticket is too late for this list; who leaves is in LEFT.
  if may_read then put('listed', 1) end
elseif ARGV[5] ~= '' and meta.root ~= ARGV[5] then
  redis.call('HSET', META, 'root', ARGV[5])
  tell({ kind = 'changed' })
end
return { 'closed', meta.entrants, meta.closedAt, int(get('voidBelow')), may_read and '1' or '', meta.listed or '',
  meta.epoch }
