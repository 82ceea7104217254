-- Decides whether the mark of a request under way may go: only the request that set it takes it away.
-- KEYS 1 = idem:<accountId>:<key>
-- ARGV 1 = the text this request wrote there
-- RETURNS 'gone' | 'kept' (it expired and belongs to another request, or to none)
local mark = KEYS[1]
local own = ARGV[1]

if redis.call('GET', mark) ~= own then
  return 'kept'
end
redis.call('DEL', mark)
return 'gone'
