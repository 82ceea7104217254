// Decides which part of the map is seen: moving, zooming around a point, fitting, and never losing the map.

export interface Size {
  width: number
  height: number
}
/** World units are seat pitches; `scale` is CSS pixels a pitch; (x, y) is the world point in the middle. */
export interface View {
  x: number
  y: number
  scale: number
}
export interface Box {
  left: number
  top: number
  right: number
  bottom: number
}

export const SCALE_MAX = 44
/** Free space around the whole map, in CSS pixels. */
const MARGIN_PX = 24

/** The whole of `box` in sight. */
export function fitBox(box: Box, screen: Size, scaleMax = SCALE_MAX, margin = MARGIN_PX): View {
  const width = Math.max(1, box.right - box.left)
  const height = Math.max(1, box.bottom - box.top)
  const scale = Math.min(
    Math.max(1, screen.width - 2 * margin) / width,
    Math.max(1, screen.height - 2 * margin) / height,
    scaleMax,
  )
  return { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2, scale }
}

export const toWorld = (view: View, screen: Size, px: number, py: number) => ({
  x: view.x + (px - screen.width / 2) / view.scale,
  y: view.y + (py - screen.height / 2) / view.scale,
})

export const toScreen = (view: View, screen: Size, x: number, y: number) => ({
  x: (x - view.x) * view.scale + screen.width / 2,
  y: (y - view.y) * view.scale + screen.height / 2,
})

/** Zooms so that the world point under (px, py) stays there; never further out than the whole map. */
export function zoomAt(view: View, screen: Size, map: Size, factor: number, px: number, py: number): View {
  const anchor = toWorld(view, screen, px, py)
  const scale = clamp(view.scale * factor, scaleMin(screen, map), SCALE_MAX)
  const x = anchor.x - (px - screen.width / 2) / scale
  const y = anchor.y - (py - screen.height / 2) / scale
  return keepInSight({ x, y, scale }, screen, map)
}

export const panBy = (view: View, screen: Size, map: Size, dx: number, dy: number): View =>
  keepInSight({ ...view, x: view.x - dx / view.scale, y: view.y - dy / view.scale }, screen, map)

export const scaleMin = (screen: Size, map: Size): number =>
  fitBox({ left: 0, top: 0, right: map.width, bottom: map.height }, screen).scale

/** The map's edge stops at the screen's, so that nobody drags themselves into the void. */
export const keepInSight = (view: View, screen: Size, map: Size): View => ({
  ...view,
  x: keepWithin(view.x, screen.width / view.scale, map.width, MARGIN_PX / view.scale),
  y: keepWithin(view.y, screen.height / view.scale, map.height, MARGIN_PX / view.scale),
})

/** The middle of a stretch of `seen` over [0, whole], with a margin at its ends; all of it in sight: centred. */
function keepWithin(middle: number, seen: number, whole: number, margin: number): number {
  const free = whole + 2 * margin - seen
  return free <= 0 ? whole / 2 : clamp(middle, seen / 2 - margin, whole + margin - seen / 2)
}

export function boxInSight(view: View, screen: Size): Box {
  const halfWidth = screen.width / 2 / view.scale
  const halfHeight = screen.height / 2 / view.scale
  return {
    left: view.x - halfWidth,
    top: view.y - halfHeight,
    right: view.x + halfWidth,
    bottom: view.y + halfHeight,
  }
}

const clamp = (value: number, low: number, high: number) =>
  Math.min(Math.max(value, low), Math.max(low, high))
