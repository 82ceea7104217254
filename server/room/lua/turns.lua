-- Keeps the turns: how many of each are still to claim, which share of people does not come, how many are called for it.
-- Put after line.lua in the scripts that open, settle or end turns. A turn stays known until it is due, also when all
-- of it have claimed: only then is it known what share of it came.
local OVER_CALL_MAX, MEMORY_PEOPLE, PRIOR_PEOPLE = 2, 200, 10
-- With no door everybody present is in at once; whoever is not has this long.
local NO_DOOR_MS, CLAIM_MS_MAX, CLAIM_MEMORY = 60000, 30000, 16

local function door_ms()
  local seconds = tonumber(settings.doorSeconds) or 0
  return seconds > 0 and seconds * 1000 or math.min(NO_DOOR_MS, settings.passSeconds * 1000)
end
-- Of those asked lately, more weight on the latest; at the start as if ten had been asked and all had come.
local function no_show_share() return get('missed') / math.max(1, tonumber(meta.asked) or PRIOR_PEOPLE * 1000) end
local function over_call() return math.min(OVER_CALL_MAX, 1 / math.max(1e-9, 1 - no_show_share())) end
-- How many of those called are expected to claim yet: all of them but the usual share of everybody in an open turn.
local function still_to_claim()
  return math.max(0, get('outstanding') - (1 - 1 / over_call()) * get('openWidth'))
end

local function widen(turn, by)
  if by == 0 then return end
  put('openWidth', get('openWidth') + by)
  redis.call('HINCRBY', WIDTHS, turn, by)
end
local function await(turn, by)
  if by == 0 then return end
  put('outstanding', get('outstanding') + by)
  if redis.call('HINCRBY', OUTSTANDING, turn, by) <= 0 then redis.call('HDEL', OUTSTANDING, turn) end
end
local function open_turn(turn, count, due)
  widen(turn, count)
  await(turn, count)
  redis.call('ZADD', DUE, int(due), turn)
end
-- One of a turn leaves, steps back or is away: as if never called, so that the pass is free for the next.
local function step_out(turn)
  await(turn, -1)
  widen(turn, -1)
end
local function rejoin_turn(turn)
  widen(turn, 1)
  await(turn, 1)
end
local function claim_turn(turn)
  await(turn, -1)
  local took = room_now() - ((tonumber(redis.call('ZSCORE', DUE, turn)) or room_now()) - door_ms())
  took = math.min(math.max(0, took), CLAIM_MS_MAX)
  put('claimMs', get('claimMs') + (took - get('claimMs')) / CLAIM_MEMORY)
  put('claims', get('claims') + 1)
end
-- Ends a turn that is due; answers how many of it did not come.
local function end_turn(turn)
  local width = tonumber(redis.call('HGET', WIDTHS, turn)) or 0
  local missed = tonumber(redis.call('HGET', OUTSTANDING, turn)) or 0
  widen(turn, -width)
  await(turn, -missed)
  redis.call('HDEL', WIDTHS, turn)
  redis.call('ZREM', TURNS, turn)
  redis.call('ZREM', DUE, turn)
  -- As long as a door stays open, so that a busy room does not swing with every turn.
  local memory = math.max(MEMORY_PEOPLE, get('openWidth'))
  local keep = memory / (memory + width)
  put('asked', (tonumber(meta.asked) or PRIOR_PEOPLE * 1000) * keep + width * 1000)
  put('missed', get('missed') * keep + missed * 1000)
  return missed
end
