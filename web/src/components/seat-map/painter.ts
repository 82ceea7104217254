// Decides what is painted at which nearness: the picture of the whole from afar and in motion, living seats near by.
import { AVAILABLE } from '../../state/seat-status.ts'
import type { SeatChoice } from '../../state/seat-choice.svelte.ts'
import type { SeatMap } from '../../state/seat-map.svelte.ts'
import type { MapView } from '../../../../server/protocol/http.ts'
import {
  drawAreas,
  drawRowNames,
  drawSectionNames,
  drawStage,
  ROW_NAME_SCALE,
  SEAT_NAME_SCALE,
} from './draw-frame.ts'
import { drawChosen, drawFocus, drawSeats, type Placement, type SeatLooks } from './draw-seats.ts'
import { Overview } from './overview.ts'
import { readPalette, type Palette } from './palette.ts'
import type { SeatIndex } from './seat-index.ts'
import { boxInSight, type Size, type View } from './viewport.ts'

/** From this many pixels a pitch on, seats are drawn live: at rest, and even while moving. */
const LIVE_SCALE = 8
const LIVE_MOVING_SCALE = 15

export interface Scene {
  view: View
  screen: Size
  moving: boolean
  focused: number | null
  hovered: number | null
}

export class Painter {
  readonly #canvas: HTMLCanvasElement
  readonly #pen: CanvasRenderingContext2D
  readonly #map: MapView
  readonly #seats: SeatMap
  readonly #choice: SeatChoice
  readonly #index: SeatIndex
  readonly #looks: SeatLooks
  /** The index of every seat that has a place of its own on the map. */
  readonly #numbered: number[]
  #palette: Palette
  #overview: Overview

  constructor(canvas: HTMLCanvasElement, map: MapView, seats: SeatMap, choice: SeatChoice, index: SeatIndex) {
    const pen = canvas.getContext('2d')
    if (!pen) throw new Error('this browser gives no 2D canvas')
    this.#canvas = canvas
    this.#pen = pen
    this.#map = map
    this.#seats = seats
    this.#choice = choice
    this.#index = index
    this.#looks = {
      positions: seats.positions,
      codeOf: (n) => seats.codeOf(n),
      tierOf: (n) => map.sections[seats.sectionOf(n)]?.tier ?? 0,
    }
    this.#numbered = map.sections
      .filter(({ kind }) => kind === 'seated')
      .flatMap(({ first, seats: count }) => Array.from({ length: count }, (_, i) => first + i))
    this.#palette = readPalette(canvas.parentElement ?? canvas)
    this.#overview = this.#paintOverview()
  }

  /** The theme has changed: every colour is another. */
  recolour(): void {
    this.#palette = readPalette(this.#canvas.parentElement ?? this.#canvas)
    this.#overview = this.#paintOverview()
  }

  #paintOverview(): Overview {
    return new Overview(this.#map, this.#numbered, this.#looks, this.#palette)
  }

  changed(seats: readonly number[] | 'all'): void {
    if (seats === 'all') this.#overview.paint()
    else this.#overview.patch(seats.filter((n) => this.#isNumbered(n)))
  }

  paint({ view, screen, moving, focused, hovered }: Scene): void {
    const pen = this.#pen
    const pixels = this.#fitCanvas(screen)
    pen.setTransform(pixels, 0, 0, pixels, 0, 0)
    pen.clearRect(0, 0, screen.width, screen.height)
    const place: Placement = {
      scale: view.scale,
      dx: screen.width / 2 - view.x * view.scale,
      dy: screen.height / 2 - view.y * view.scale,
    }
    drawStage(pen, this.#map, this.#palette, place)
    drawAreas(pen, this.#map, (section) => this.#seats.freeInSection(section), this.#palette, place)
    if (view.scale >= (moving ? LIVE_MOVING_SCALE : LIVE_SCALE)) this.#paintLive(view, screen, place)
    else this.#paintPicture(place)
    const mine = this.#choice.chosen.filter((n) => this.#isNumbered(n))
    drawChosen(pen, mine, this.#seats.positions, this.#palette, place)
    for (const n of [hovered, focused])
      if (n !== null && this.#isNumbered(n)) drawFocus(pen, n, this.#seats.positions, this.#palette, place)
    if (view.scale >= ROW_NAME_SCALE)
      drawRowNames(pen, this.#map, this.#seats.positions, this.#palette, place)
    else drawSectionNames(pen, this.#map, this.#seats.positions, this.#palette, place)
  }

  #paintPicture({ scale, dx, dy }: Placement): void {
    const { picture, pitch } = this.#overview
    const width = (picture.width / pitch) * scale
    const height = (picture.height / pitch) * scale
    this.#pen.imageSmoothingEnabled = true
    this.#pen.imageSmoothingQuality = scale < pitch / 2 ? 'high' : 'low'
    this.#pen.drawImage(picture, dx, dy, width, height)
  }

  #paintLive(view: View, screen: Size, place: Placement): void {
    const inSight: number[] = []
    this.#index.visitIn(boxInSight(view, screen), (n) => {
      if (this.#isNumbered(n)) inSight.push(n)
    })
    drawSeats(this.#pen, inSight, this.#looks, this.#palette, place)
    if (view.scale < SEAT_NAME_SCALE) return
    const pen = this.#pen
    pen.font = `600 ${Math.round(view.scale * 0.36)}px ${this.#palette.font}`
    pen.textAlign = 'center'
    pen.textBaseline = 'middle'
    pen.fillStyle = this.#palette.paper
    for (const n of inSight) {
      if (this.#seats.codeOf(n) !== AVAILABLE) continue
      const x = (this.#seats.positions[2 * n] ?? 0) * place.scale + place.dx
      const y = (this.#seats.positions[2 * n + 1] ?? 0) * place.scale + place.dy
      pen.fillText(this.#seats.numberOf(n), x, y)
    }
  }

  #isNumbered(n: number): boolean {
    return this.#map.sections[this.#seats.sectionOf(n)]?.kind === 'seated'
  }

  /** Device pixels a CSS pixel; the canvas is given exactly as many as it shows. */
  #fitCanvas({ width, height }: Size): number {
    const pixels = Math.min(devicePixelRatio || 1, 2)
    const [w, h] = [Math.round(width * pixels), Math.round(height * pixels)]
    if (this.#canvas.width !== w) this.#canvas.width = w
    if (this.#canvas.height !== h) this.#canvas.height = h
    return pixels
  }
}
