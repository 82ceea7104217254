-- Draws the curve of those who left the line as at most so many buckets, finest where few people are ahead.
-- Put after line.lua in view-room.lua. Two steps: a walk from the front takes points so close together that whatever
-- happens between two of them moves nobody's count by more than 1 % (or one person); then as many points as possible
-- are left out, each only where a straight line misses it by at most another 1 % (or half a person). Both are a little
-- less, so that rounding to whole people stays within 2 % (or one person).
-- The walk costs O(log n) a point, and the points grow with the logarithm of the line.
local PROBES_MAX, WIDEN, CURVE_MS = 1200, 1.06, 1000
local function tolerance(people_ahead, least) return math.max(least, 0.01 * people_ahead - 0.25) end

local function walk_gone(from, to)
  local points, probes = { { from, 0, 0 } }, 0
  local at, gone, ahead, step = from, 0, 0, 1
  while at < to do
    probes = probes + 1
    -- Past the limit the rest is taken in a few coarse steps.
    if probes > PROBES_MAX then step = math.max(step, math.ceil((to - from) / 16)) end
    local upto = math.min(at + step, to)
    local width = upto - at
    local stay = people(at, upto)
    local left = width - stay
    -- The most a straight line can be wrong within: all who left came first, or all who stayed.
    local wrong = left * stay / width / tolerance(ahead, 1)
    if wrong <= 1 or width == 1 or probes > PROBES_MAX then
      at, gone, ahead = upto, gone + left, ahead + stay
      points[#points + 1] = { at, gone, ahead }
    end
    step = math.max(1, math.floor(width * math.min(2, math.max(0.25, 0.9 / wrong))))
  end
  return points
end

-- The longest straight lines from point to point that pass each one between by at most its tolerance.
local function fold_gone(points, factor)
  local kept, i = {}, 1
  while i < #points do
    local x, y, low, high, last = points[i][1], points[i][2], -math.huge, math.huge, i + 1
    for j = i + 1, #points do
      local point = points[j]
      local dx, dy = point[1] - x, point[2] - y
      local slope, miss = dy / dx, factor * tolerance(point[3], 0.45)
      if slope >= low and slope <= high then last = j end
      low, high = math.max(low, (dy - miss) / dx), math.min(high, (dy + miss) / dx)
      if low > high then break end
    end
    kept[#kept + 1] = { x, points[last][2] - y }
    i = last
  end
  return kept
end

-- JSON of [first place, how many of the bucket left], each up to the next one's first place; the last one, without
-- leavers, only says where the line ended. Kept for a second while the front stands still, so that many servers that
-- look at the same line draw it once.
local function gone_buckets(from, to, most)
  local front, at, known = string.match(redis.call('GET', CURVE) or '', '^(%d+) (%d+) (.*)$')
  if front == int(from) and now >= tonumber(at) and now - at < CURVE_MS then return known end
  local points, factor = walk_gone(from, to), 1
  local kept = fold_gone(points, factor)
  while #kept > most - 1 do
    factor = factor * WIDEN
    kept = fold_gone(points, factor)
  end
  kept[#kept + 1] = { to, 0 }
  local drawn = points[#points][2] > 0 and cjson.encode(kept) or '[]'
  redis.call('SET', CURVE, int(from) .. ' ' .. int(now) .. ' ' .. drawn, 'PX', CURVE_MS)
  return drawn
end
