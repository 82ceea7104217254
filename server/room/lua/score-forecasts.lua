-- Adds up how many forecasts of the wait came true, for the operator's figures on every server.
-- KEYS: the room's (line.lua).  ARGV: now, channel, how many ended, how many of them within the range.
-- RETURNS { scored } | { unknown }.
if not meta.epoch then return { 'unknown' } end
put('forecasts', get('forecasts') + ARGV[3])
put('forecastsInside', get('forecastsInside') + ARGV[4])
return { 'scored' }
