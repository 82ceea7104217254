-- Decides whether a process' report is kept: not when its figures are part of the ended ones already.
-- KEYS[1]  metrics:processes
-- ARGV[1]  process, ARGV[2] ms of the report, ARGV[3] the report, ARGV[4] lifetime of the key in ms
-- RETURNS  {'kept'} | {'ended'}
local processes = KEYS[1]
local process, at, report, lifetime = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

if redis.call('HEXISTS', processes, 'gone:' .. process) == 1 then return { 'ended' } end
redis.call('HSET', processes, 'at:' .. process, at, 'of:' .. process, report)
redis.call('PEXPIRE', processes, lifetime)
return { 'kept' }
