// Draws what surrounds the seats: the stage, the areas without numbers, the names of sections, rows and seats.
import type { MapView } from '../../../../server/protocol/http.ts'
import { formatCount } from '../../format.ts'
import type { Placement } from './draw-seats.ts'
import { tierColour, type Palette } from './palette.ts'

type Pen = CanvasRenderingContext2D

/** From this many pixels a pitch on, rows are named; and seats carry their number. */
export const ROW_NAME_SCALE = 13
export const SEAT_NAME_SCALE = 22

const SECTION_TEXT_PX = 13
const TEXT_ROOM_PX = 44

export function drawStage(pen: Pen, map: MapView, palette: Palette, place: Placement): void {
  const [x, y, width, height] = boxOn(map.stage, place)
  if (width <= 0 || height <= 0) return
  pen.fillStyle = palette.rule
  pen.beginPath()
  pen.roundRect(x, y, width, height, Math.min(8, height / 2))
  pen.fill()
  if (width > TEXT_ROOM_PX) write(pen, 'Stage', x + width / 2, y + height / 2, palette.ink, palette)
}

/** Areas without numbers: one shape, filled as far as it is free. */
export function drawAreas(
  pen: Pen,
  map: MapView,
  freeIn: (section: number) => number,
  palette: Palette,
  place: Placement,
): void {
  for (const [index, section] of map.sections.entries()) {
    if (section.kind !== 'general') continue
    const [x, y, width, height] = boxOn(section.box, place)
    const free = freeIn(index)
    const share = section.seats === 0 ? 0 : free / section.seats
    pen.fillStyle = palette.raised
    pen.strokeStyle = free === 0 ? palette.control : tierColour(palette, section.tier)
    pen.lineWidth = 2
    pen.beginPath()
    pen.roundRect(x, y, width, height, 10)
    pen.fill()
    pen.save()
    pen.clip()
    pen.globalAlpha = 0.22
    pen.fillStyle = tierColour(palette, section.tier)
    pen.fillRect(x, y + height * (1 - share), width, height * share)
    pen.restore()
    pen.stroke()
    if (width < TEXT_ROOM_PX) continue
    write(pen, section.name, x + width / 2, y + height / 2 - 9, palette.ink, palette, 600)
    const words = free === 0 ? 'none free' : `${formatCount(free)} free`
    write(pen, words, x + width / 2, y + height / 2 + 9, palette.inkSoft, palette)
  }
}

/** Names above seated sections, while single rows are too small to be named. */
export function drawSectionNames(pen: Pen, map: MapView, palette: Palette, place: Placement): void {
  for (const section of map.sections) {
    if (section.kind !== 'seated') continue
    const [x, y, width, height] = boxOn(section.box, place)
    if (width < TEXT_ROOM_PX || x > pen.canvas.clientWidth || y > pen.canvas.clientHeight || y + height < 0)
      continue
    // Above the section, over the middle of the part in sight.
    const left = Math.max(x, 0)
    const right = Math.min(x + width, pen.canvas.clientWidth)
    write(pen, section.name, (left + right) / 2, Math.max(y - 10, 14), palette.ink, palette, 600)
  }
}

/** The label of every row in sight, left of its first seat, or at the edge when that lies outside. */
export function drawRowNames(
  pen: Pen,
  map: MapView,
  positions: Float32Array,
  palette: Palette,
  { scale, dx, dy }: Placement,
): void {
  const { clientWidth: width, clientHeight: height } = pen.canvas
  for (const section of map.sections) {
    let first = section.first
    for (const row of section.rows) {
      const last = first + row.count - 1
      const x = (positions[2 * first] ?? 0) * scale + dx
      const y = (positions[2 * first + 1] ?? 0) * scale + dy
      const end = (positions[2 * last] ?? 0) * scale + dx
      const inSight = y > -scale && y < height + scale && x < width && end > 0
      if (inSight) write(pen, row.label, Math.max(x - scale, 12), y, palette.inkSoft, palette)
      first += row.count
    }
  }
}

function boxOn(
  [x, y, width, height]: readonly [number, number, number, number],
  { scale, dx, dy }: Placement,
): [number, number, number, number] {
  return [x * scale + dx, y * scale + dy, width * scale, height * scale]
}

/** Text with a rim of paper, readable over seats. */
export function write(
  pen: Pen,
  text: string,
  x: number,
  y: number,
  colour: string,
  palette: Palette,
  weight = 400,
  size = SECTION_TEXT_PX,
): void {
  pen.font = `${weight} ${size}px ${palette.font}`
  pen.textAlign = 'center'
  pen.textBaseline = 'middle'
  pen.lineJoin = 'round'
  pen.lineWidth = 4
  pen.strokeStyle = palette.paper
  pen.strokeText(text, x, y)
  pen.fillStyle = colour
  pen.fillText(text, x, y)
}
