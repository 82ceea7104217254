// Draws a house as it is taken: one dot a seat, and over each section the share of it that is gone.
import type { MapView } from '../../../../server/protocol/http.ts'
import type { SectionCounts } from '../../state/section-tally.svelte.ts'
import { BLOCKED, RESERVED, SOLD } from '../../state/seat-status.ts'

interface House {
  map: MapView
  /** x of seat n at 2n, y at 2n + 1, in seat pitches. */
  positions: Float32Array
  codeOf: (n: number) => number
  counts: SectionCounts[]
  /** CSS pixels. */
  width: number
  say: (share: number) => string
}

const MARGIN_PX = 14
const HEIGHT_MAX_PX = 440
const PIXELS_MAX = 2
const DOT = 0.36
const TEXT_PX = 14
/** A section smaller than its share's words gets none; the table has them. */
const TEXT_ROOM_PX = 40

export function drawHeat(canvas: HTMLCanvasElement, frame: Element, house: House): void {
  const pen = canvas.getContext('2d')
  if (!pen) return
  const { map, width, positions } = house
  const scale = Math.min((width - 2 * MARGIN_PX) / map.width, (HEIGHT_MAX_PX - 2 * MARGIN_PX) / map.height)
  const height = map.height * scale + 2 * MARGIN_PX
  const pixels = Math.min(devicePixelRatio || 1, PIXELS_MAX)
  canvas.width = Math.round(width * pixels)
  canvas.height = Math.round(height * pixels)
  canvas.style.height = `${height}px`
  pen.setTransform(pixels, 0, 0, pixels, 0, 0)
  const dx = (width - map.width * scale) / 2
  const colour = coloursOf(frame)
  const place = (x: number, y: number) => [x * scale + dx, y * scale + MARGIN_PX] as const

  const [stageX, stageY] = place(map.stage[0], map.stage[1])
  pen.fillStyle = colour('rule')
  pen.fillRect(stageX, stageY, map.stage[2] * scale, Math.max(3, map.stage[3] * scale))

  const r = Math.max(0.6, DOT * scale)
  const paths = [new Path2D(), new Path2D(), new Path2D(), new Path2D()]
  for (const section of map.sections) {
    if (section.kind === 'general') continue
    for (let n = section.first; n < section.first + section.seats; n += 1) {
      const [x, y] = place(positions[2 * n] ?? 0, positions[2 * n + 1] ?? 0)
      addDot(paths, house.codeOf(n), x, y, r)
    }
  }
  for (const [code, name] of [
    [SOLD, 'accent'],
    [RESERVED, 'tier-2'],
  ] as const) {
    pen.fillStyle = colour(name)
    pen.fill(paths[code]!)
  }
  pen.lineWidth = Math.max(0.5, r * 0.25)
  pen.strokeStyle = colour('control')
  pen.stroke(paths[0]!)
  pen.stroke(paths[BLOCKED]!)
  for (const [index, section] of map.sections.entries()) {
    const [, held = 0, sold = 0] = house.counts[index] ?? []
    const [x, y] = place(section.box[0], section.box[1])
    const [w, h] = [section.box[2] * scale, section.box[3] * scale]
    if (section.kind === 'general') drawArea(pen, colour, { x, y, w, h, held, sold, seats: section.seats })
    if (section.seats > 0 && Math.min(w, h * 2) >= TEXT_ROOM_PX)
      write(pen, house.say((held + sold) / section.seats), x + w / 2, y + h / 2, colour, frame)
  }
}

/** Held seats are square and those off sale a stroke: colour is not the only sign. */
function addDot(paths: Path2D[], code: number, x: number, y: number, r: number): void {
  const path = paths[code] ?? paths[0]!
  if (code === RESERVED) path.rect(x - r, y - r, 2 * r, 2 * r)
  else if (code === BLOCKED) {
    path.moveTo(x - r, y)
    path.lineTo(x + r, y)
  } else {
    path.moveTo(x + r, y)
    path.arc(x, y, r, 0, 2 * Math.PI)
  }
}

interface Area {
  x: number
  y: number
  w: number
  h: number
  held: number
  sold: number
  seats: number
}

/** An area without numbers fills from below: sold, then held. */
function drawArea(pen: CanvasRenderingContext2D, colour: (name: string) => string, area: Area): void {
  const { x, y, w, h, held, sold, seats } = area
  const soldPx = (h * sold) / Math.max(1, seats)
  const heldPx = (h * held) / Math.max(1, seats)
  pen.globalAlpha = 0.55
  pen.fillStyle = colour('accent')
  pen.fillRect(x, y + h - soldPx, w, soldPx)
  pen.fillStyle = colour('tier-2')
  pen.fillRect(x, y + h - soldPx - heldPx, w, heldPx)
  pen.globalAlpha = 1
  pen.strokeStyle = colour('control')
  pen.lineWidth = 1
  pen.strokeRect(x, y, w, h)
}

/** With a rim of paper, readable over seats. */
function write(
  pen: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  colour: (name: string) => string,
  frame: Element,
): void {
  pen.font = `600 ${TEXT_PX}px ${getComputedStyle(frame).fontFamily}`
  pen.textAlign = 'center'
  pen.textBaseline = 'middle'
  pen.lineJoin = 'round'
  pen.lineWidth = 5
  pen.strokeStyle = colour('raised')
  pen.strokeText(text, x, y)
  pen.fillStyle = colour('ink')
  pen.fillText(text, x, y)
}

/** Tokens as the browser computes them, light or dark. */
function coloursOf(frame: Element): (name: string) => string {
  const known = new Map<string, string>()
  return (name) => {
    const found = known.get(name)
    if (found) return found
    const probe = document.createElement('span')
    probe.style.color = `var(--${name})`
    frame.append(probe)
    const colour = getComputedStyle(probe).color
    probe.remove()
    known.set(name, colour)
    return colour
  }
}
