// Owns where one looks on the map: the part in sight, the seat pointed at, the place in the list beside it.
import { FAR_SCALE } from '../components/seat-map/draw-ground.ts'
import { SeatIndex } from '../components/seat-map/seat-index.ts'
import {
  boxInSight,
  fitBox,
  keepInSight,
  panBy,
  scaleMin,
  toWorld,
  zoomAt,
  type Box,
  type Size,
  type View,
} from '../components/seat-map/viewport.ts'
import type { SeatMap } from './seat-map.svelte.ts'

/** Nearness at which a row can be read, and below which a finger is shown nearer instead of choosing a seat. */
const READING_SCALE = 30
const TAP_SCALE = 11
const TOUCH_SCALE = 20
/** A finger or a pointer this near means the seat. */
const REACH_PX = 14
/** Near by, the whole of a seat's own space means it (seat pitches). */
const REACH_PITCH = 0.7
const BUTTON_FACTOR = 1.6
/** Shown around seats that are brought into sight. */
const AROUND_PITCH = 8
const GLIDE_MS = 260

export class SeatView {
  view = $state.raw<View>({ x: 0, y: 0, scale: 1 })
  screen = $state.raw<Size>({ width: 0, height: 0 })
  moving = $state(false)
  hovered = $state<number | null>(null)
  /** Where the list stands: a section, a row in it, a seat the keyboard is on. */
  section = $state<number | null>(null)
  row = $state<number | null>(null)
  focused = $state<number | null>(null)
  /** The seat last touched on the map: the list goes there too. */
  pointed = $state<number | null>(null)
  /** A rectangle being drawn to mark seats, in seat pitches. */
  band = $state.raw<Box | null>(null)
  readonly #seats: SeatMap
  readonly index: SeatIndex
  #fitted = true
  #glide = 0

  constructor(seats: SeatMap) {
    this.#seats = seats
    this.index = new SeatIndex(seats.positions, this.#size.width, this.#size.height)
  }

  get #size(): Size {
    return this.#seats.map ?? { width: 1, height: 1 }
  }

  resize(screen: Size): void {
    const first = this.screen.width === 0
    this.screen = screen
    if (first || this.#fitted) this.fit(false)
  }

  fit(glide = true): void {
    this.#fitted = true
    this.#goTo(
      fitBox({ left: 0, top: 0, right: this.#size.width, bottom: this.#size.height }, this.screen),
      glide,
    )
  }

  pan(dx: number, dy: number): void {
    this.#move(panBy(this.view, this.screen, this.#size, dx, dy))
  }

  zoom(factor: number, x: number, y: number): void {
    this.#move(zoomAt(this.view, this.screen, this.#size, factor, x, y))
  }

  zoomButton(inwards: boolean): void {
    const { width, height } = this.screen
    const factor = inwards ? BUTTON_FACTOR : 1 / BUTTON_FACTOR
    this.#fitted = false
    this.#goTo(zoomAt(this.view, this.screen, this.#size, factor, width / 2, height / 2), true)
  }

  showBox(box: Box): void {
    this.#fitted = false
    this.#goTo(fitBox(box, this.screen, READING_SCALE), true)
  }

  /** Brings a seat into sight, near enough to read, moving no more than needed. */
  showSeat(n: number): void {
    const x = this.#seats.positions[2 * n] ?? 0
    const y = this.#seats.positions[2 * n + 1] ?? 0
    const near = this.view.scale >= TAP_SCALE
    const dx = Math.abs(x - this.view.x) * this.view.scale
    const dy = Math.abs(y - this.view.y) * this.view.scale
    if (near && dx < this.screen.width * 0.4 && dy < this.screen.height * 0.4) return
    this.#fitted = false
    this.#goTo({ x, y, scale: near ? this.view.scale : READING_SCALE }, true)
  }

  /** Brings all of these into sight, and somewhat of what is around them. */
  showSeats(seats: readonly number[]): void {
    const [first] = seats
    if (first === undefined) return
    const xs = seats.map((n) => this.#seats.positions[2 * n] ?? 0)
    const ys = seats.map((n) => this.#seats.positions[2 * n + 1] ?? 0)
    this.showBox({
      left: Math.min(...xs) - AROUND_PITCH,
      right: Math.max(...xs) + AROUND_PITCH,
      top: Math.min(...ys) - AROUND_PITCH,
      bottom: Math.max(...ys) + AROUND_PITCH,
    })
  }

  /** Puts a place of the map in the middle of the screen. */
  centreOn(x: number, y: number): void {
    this.#move(keepInSight({ ...this.view, x, y }, this.screen, this.#size))
  }

  get seen(): Box {
    return boxInSight(this.view, this.screen)
  }

  /** Nearer than the whole map. */
  get isNear(): boolean {
    return this.view.scale > scaleMin(this.screen, this.#size) * 1.05
  }

  /** Seats within a rectangle of the screen that have a place of their own. */
  seatsIn(from: { x: number; y: number }, to: { x: number; y: number }): number[] {
    const box = this.boxOf(from, to)
    const { positions } = this.#seats
    const found: number[] = []
    this.index.visitIn(box, (n) => {
      const [x, y] = [positions[2 * n] ?? 0, positions[2 * n + 1] ?? 0]
      const inside = x >= box.left && x <= box.right && y >= box.top && y <= box.bottom
      if (inside && this.#seats.isNumbered(n)) found.push(n)
    })
    return found
  }

  boxOf(from: { x: number; y: number }, to: { x: number; y: number }): Box {
    const [a, b] = [from, to].map(({ x, y }) => toWorld(this.view, this.screen, x, y))
    return {
      left: Math.min(a!.x, b!.x),
      right: Math.max(a!.x, b!.x),
      top: Math.min(a!.y, b!.y),
      bottom: Math.max(a!.y, b!.y),
    }
  }

  /** The seat meant by a point on the screen. */
  seatAt(px: number, py: number): number | null {
    const { x, y } = toWorld(this.view, this.screen, px, py)
    return this.index.nearest(x, y, Math.max(REACH_PX / this.view.scale, REACH_PITCH))
  }

  /** The area without numbers under a point. */
  areaAt(px: number, py: number): number | null {
    const { x, y } = toWorld(this.view, this.screen, px, py)
    const found = this.#seats.map?.sections.findIndex(
      ({ kind, box: [left, top, width, height] }) =>
        kind === 'general' && x >= left && x <= left + width && y >= top && y <= top + height,
    )
    return found === undefined || found < 0 ? null : found
  }

  /** Too far out to tell one seat from the next: go nearer. A finger is broader than a pointer. */
  isFarFor(touch: boolean): boolean {
    return this.view.scale < (touch ? TOUCH_SCALE : TAP_SCALE)
  }

  /** Goes nearer to a point: to its whole section while only sections can be told apart, else to where seats can be read. */
  approach(px: number, py: number): void {
    const { x, y } = toWorld(this.view, this.screen, px, py)
    this.#fitted = false
    const n = this.view.scale < FAR_SCALE ? this.seatAt(px, py) : null
    const section = n === null ? undefined : this.#seats.map?.sections[this.#seats.sectionOf(n)]
    if (section) {
      const [left, top, width, height] = section.box
      const box = { left, top, right: left + width, bottom: top + height }
      // A section as large as the map would be no nearer.
      if (fitBox(box, this.screen).scale > this.view.scale * BUTTON_FACTOR) return this.showBox(box)
    }
    this.#goTo({ x, y, scale: READING_SCALE }, true)
  }

  #move(view: View): void {
    cancelAnimationFrame(this.#glide)
    this.#fitted = false
    this.view = view
  }

  #goTo(wanted: View, glide: boolean): void {
    cancelAnimationFrame(this.#glide)
    const target = keepInSight(wanted, this.screen, this.#size)
    if (!glide || matchMedia('(prefers-reduced-motion: reduce)').matches) {
      this.view = target
      return
    }
    const from = this.view
    const startedAt = performance.now()
    const step = (now: number) => {
      const t = Math.min(1, Math.max(0, (now - startedAt) / GLIDE_MS))
      const eased = 1 - (1 - t) ** 3
      this.moving = t < 1
      this.view = between(from, target, eased)
      if (t < 1) this.#glide = requestAnimationFrame(step)
    }
    this.#glide = requestAnimationFrame(step)
  }
}

const between = (from: View, to: View, t: number): View => ({
  x: from.x + (to.x - from.x) * t,
  y: from.y + (to.y - from.y) * t,
  scale: from.scale * (to.scale / from.scale) ** t,
})
