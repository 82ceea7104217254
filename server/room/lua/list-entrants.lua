-- Tells a part of everybody who ever had a place: where each stands, or how it ended. For the list after the sale.
-- Writes nothing. KEYS: the room's (line.lua).  ARGV: now, channel, cursor ('0' = from the start), about how many.
-- RETURNS { listed, next cursor ('0' = that was all), then for each: number, place, outcome, joined (ms since 1970),
-- called, admitted and ended (whole seconds since joining, '' = not or not known), priority '1' | '', deferred } | { unknown }.
-- Places, turns and passes are read as state_of() does, so that the list and the person are told the same.
if not meta.epoch then return { 'unknown' } end
local closed_from = tonumber(meta.closedFrom) or math.huge

local function outcome(e)
  local state, why = state_of(e)
  if state == 'door' then return 'called' end
  if state ~= 'outside' then return state end
  if why == 'closed' and e.flag == 'w' and e.place and e.place < closed_from then return 'no_show' end
  return why
end

local scanned = redis.call('HSCAN', ENTRANTS, ARGV[3], 'COUNT', ARGV[4])
local rows = { 'listed', scanned[1] }
for i = 1, #scanned[2], 2 do
  local e = read_entrant(scanned[2][i], scanned[2][i + 1])
  for _, value in ipairs({ int(e.number), e.place and int(e.place) or '', outcome(e), int(e.joined),
    e.called, e.admitted, e.ended, e.priority, e.deferred }) do rows[#rows + 1] = value end
end
return rows
