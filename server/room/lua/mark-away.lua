-- Starts the grace of a place whose connection was lost; says nothing of a connection that was replaced before.
-- KEYS: the room's (line.lua).  ARGV: now, channel, account, socket.
-- RETURNS { away | refused | unknown }.
if not meta.epoch then return { 'unknown' } end
local account, socket = ARGV[3], ARGV[4]
local e = find_entrant(account)
if not e or e.socket ~= socket then return { 'refused' } end
e.socket = ''
local kept = lose(e)
save_entrant(e)
return { kept and 'away' or 'refused' }
