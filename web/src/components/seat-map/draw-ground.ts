// Draws what lies under the seats: the stage, each section's plate, and from afar its shade; and over them the names.
import type { MapView } from '../../../../server/protocol/http.ts'
import type { Brush, Placement } from './cached-layer.ts'
import type { Labels } from './labels.ts'
import type { Looks } from './looks.ts'
import type { Palette } from './palette.ts'
import type { SectionShape } from './section-shapes.ts'
import type { Size } from './viewport.ts'

/** Below this many CSS pixels a pitch seats are not drawn: sections stand for them. */
export const FAR_SCALE = 3
/** From here on seats speak for themselves: the section's shade has faded into a plate. */
export const PLATE_SCALE = 5
/** From here on a section's name stands above its first row, and its words are left to the list. */
const NAME_ABOVE_SCALE = 9

const NAME_PX = 13
const WORDS_PX = 12
/** A name up to so broad is written whole, wherever it finds room; a longer one is cut to its section. */
const NAME_WHOLE_PX = 150
const STAGE_ROOM_PX = 56
const WORDS_HEIGHT_PX = 40
const HATCH_GAP_PX = 7

export interface Ground {
  map: MapView
  shapes: readonly SectionShape[]
  looks: Looks
  palette: Palette
  labels: Labels
  stageName: string
}

export function drawGround(pen: Brush, ground: Ground, place: Placement, size: Size): void {
  drawStage(pen, ground, place)
  const { map, shapes, looks, palette } = ground
  const shade = Math.min(1, Math.max(0, (PLATE_SCALE - place.scale) / (PLATE_SCALE - FAR_SCALE)))
  for (const [index, section] of map.sections.entries()) {
    const shape = shapes[index]
    if (!shape || !isInSight(section.box, place, size)) continue
    const look = looks.sectionLook(index, palette)
    const general = section.kind === 'general'
    const rim = general ? 0.4 : 1.2
    fillShape(pen, shape, place, rim, palette.sunken, 1)
    if (shade > 0 || general)
      fillShape(pen, shape, place, rim, look.colour, (0.14 + 0.56 * look.share) * (general ? 1 : shade))
    if (look.none && (shade > 0 || general)) hatch(pen, shape, place, palette)
  }
}

function drawStage(
  pen: Brush,
  { map, palette, labels, stageName }: Ground,
  { scale, dx, dy }: Placement,
): void {
  const [left, top, across, deep] = map.stage
  const [x, y, width, height] = [left * scale + dx, top * scale + dy, across * scale, deep * scale]
  if (width <= 0 || height <= 0) return
  pen.fillStyle = palette.rule
  pen.beginPath()
  pen.roundRect(x, y, width, height, Math.min(8, height / 2))
  pen.fill()
  if (width > STAGE_ROOM_PX)
    labels.write(pen, stageName, x + width / 2, y + height / 2, width, {
      size: NAME_PX,
      weight: 500,
      colour: palette.inkSoft,
    })
}

function fillShape(
  pen: Brush,
  { outline }: SectionShape,
  { scale, dx, dy }: Placement,
  rim: number,
  colour: string,
  strength: number,
): void {
  pen.save()
  pen.translate(dx, dy)
  pen.scale(scale, scale)
  pen.globalAlpha = strength
  pen.fillStyle = colour
  pen.fill(outline)
  // A see-through rim over a see-through plate would show their overlap.
  if (strength === 1) {
    pen.strokeStyle = colour
    pen.lineJoin = 'round'
    pen.lineWidth = rim
    pen.stroke(outline)
  }
  pen.restore()
}

function hatch(pen: Brush, shape: SectionShape, { scale, dx, dy }: Placement, palette: Palette): void {
  pen.save()
  pen.translate(dx, dy)
  pen.scale(scale, scale)
  pen.clip(shape.outline)
  pen.lineWidth = 1 / scale
  pen.strokeStyle = palette.control
  pen.globalAlpha = 0.5
  const { x, y } = shape.middle
  const reach = shape.width + shape.height
  pen.beginPath()
  for (let at = -reach; at < reach; at += HATCH_GAP_PX / scale) {
    pen.moveTo(x + at - reach, y - reach)
    pen.lineTo(x + at + reach, y + reach)
  }
  pen.stroke()
  pen.restore()
}

/** Names over the seats, and words where there is room; none is written over another. */
export function drawNames(pen: Brush, ground: Ground, place: Placement, size: Size): void {
  const { map, shapes, looks, palette, labels } = ground
  const { scale, dx, dy } = place
  const written: { left: number; right: number; top: number; bottom: number }[] = []
  for (const [index, section] of map.sections.entries()) {
    const shape = shapes[index]
    if (!shape || !isInSight(section.box, place, size)) continue
    const general = section.kind === 'general'
    const above = !general && scale >= NAME_ABOVE_SCALE
    const room = Math.max(NAME_WHOLE_PX, shape.width * scale)
    const x = (above ? shape.head.x : shape.middle.x) * scale + dx
    const hasWords = (general || scale < PLATE_SCALE) && shape.height * scale >= WORDS_HEIGHT_PX
    const y = above
      ? (shape.head.y - 1) * scale + dy - NAME_PX * 0.3
      : shape.middle.y * scale + dy - (hasWords ? WORDS_PX * 0.65 : 0)
    const style = { size: NAME_PX, weight: 600, colour: palette.ink }
    const half = Math.min(room, labels.measure(section.name, style)) / 2 + 4
    const box = { left: x - half, right: x + half, top: y - NAME_PX * 0.6, bottom: y + NAME_PX * 0.6 }
    if (written.some((other) => overlaps(other, box))) continue
    written.push(labels.write(pen, section.name, x, y, room, style))
    if (!hasWords) continue
    const { words } = looks.sectionLook(index, palette)
    const wordStyle = { size: WORDS_PX, weight: 400, colour: palette.ink }
    if (labels.measure(words, wordStyle) <= shape.width * scale + 8)
      written.push(labels.write(pen, words, x, y + NAME_PX * 1.25, room + 8, wordStyle))
  }
}

interface Rect {
  left: number
  right: number
  top: number
  bottom: number
}
const overlaps = (a: Rect, b: Rect) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom

function isInSight(
  [x, y, width, height]: readonly [number, number, number, number],
  { scale, dx, dy }: Placement,
  size: Size,
): boolean {
  const margin = 2
  return (
    (x + width + margin) * scale + dx > 0 &&
    (x - margin) * scale + dx < size.width &&
    (y + height + margin) * scale + dy > 0 &&
    (y - margin) * scale + dy < size.height
  )
}
