// Draws what surrounds the seats: the stage, the areas without numbers, the names of sections, rows and seats.
import type { MapSection, MapView } from '../../../../server/protocol/http.ts'
import { formatCount } from '../../format.ts'
import type { Placement } from './draw-seats.ts'
import { tierColour, type Palette } from './palette.ts'

type Pen = CanvasRenderingContext2D

/** From this many pixels a pitch on, rows are named; and seats carry their number. */
export const ROW_NAME_SCALE = 13
export const SEAT_NAME_SCALE = 25

const SECTION_TEXT_PX = 13
const TEXT_ROOM_PX = 44
const NAME_GAP_PX = 6
const ROW_NAME_EDGE_PX = 12

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

/** From this many pixels a pitch on, a section's name stands above its first row; from afar, in its middle. */
const NAME_ABOVE_SCALE = 5

/** Names of seated sections, while rows are too small to be named; none is written over another. */
export function drawSectionNames(
  pen: Pen,
  map: MapView,
  positions: Float32Array,
  palette: Palette,
  { scale, dx, dy }: Placement,
): void {
  const { clientWidth: width, clientHeight: height } = pen.canvas
  const written: { left: number; right: number; y: number }[] = []
  for (const section of map.sections) {
    const n = anchorSeat(section, scale < NAME_ABOVE_SCALE)
    if (n === null) continue
    const x = (positions[2 * n] ?? 0) * scale + dx
    const y = (positions[2 * n + 1] ?? 0) * scale + dy - (scale < NAME_ABOVE_SCALE ? 0 : scale + NAME_GAP_PX)
    pen.font = `600 ${SECTION_TEXT_PX}px ${palette.font}`
    const half = pen.measureText(section.name).width / 2
    if (x + half < 0 || x - half > width || y < 0 || y > height) continue
    const covers = written.some(
      (other) =>
        x - half < other.right && x + half > other.left && Math.abs(other.y - y) < SECTION_TEXT_PX * 1.2,
    )
    if (covers) continue
    written.push({ left: x - half, right: x + half, y })
    write(pen, section.name, x, y, palette.ink, palette, 600)
  }
}

/** The seat at which a section's name stands: the middle of its first row, or of its middle one. */
function anchorSeat(section: MapSection, inMiddle: boolean): number | null {
  const rowIndex = inMiddle ? Math.floor(section.rows.length / 2) : 0
  const row = section.rows[rowIndex]
  if (section.kind !== 'seated' || !row) return null
  const before = section.rows.slice(0, rowIndex).reduce((seats, { count }) => seats + count, 0)
  return section.first + before + Math.floor(row.count / 2)
}

/** The label of every row in sight, left of its first seat in sight. */
export function drawRowNames(
  pen: Pen,
  map: MapView,
  positions: Float32Array,
  palette: Palette,
  place: Placement,
): void {
  const { clientWidth: width, clientHeight: height } = pen.canvas
  for (const section of map.sections) {
    let first = section.first
    for (const row of section.rows) {
      const seat = firstInSight(positions, first, row.count, place)
      first += row.count
      if (!seat || seat.x > width || seat.y < 0 || seat.y > height) continue
      const x = seat.x - place.scale
      // At the screen's edge the label stands over seats: a patch of paper under it keeps it readable.
      if (x < ROW_NAME_EDGE_PX) {
        pen.fillStyle = palette.paper
        pen.fillRect(0, seat.y - SECTION_TEXT_PX * 0.75, 2 * ROW_NAME_EDGE_PX, SECTION_TEXT_PX * 1.5)
      }
      write(pen, row.label, Math.max(x, ROW_NAME_EDGE_PX), seat.y, palette.inkSoft, palette)
    }
  }
}

/** The first seat of a row right of the screen's left edge; null when the whole row lies left of it. */
function firstInSight(positions: Float32Array, first: number, count: number, { scale, dx, dy }: Placement) {
  for (let n = first; n < first + count; n += 1) {
    const x = (positions[2 * n] ?? 0) * scale + dx
    if (x >= 0) return { x, y: (positions[2 * n + 1] ?? 0) * scale + dy }
  }
  return null
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
