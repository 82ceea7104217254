// Decides how seats can look: a book of looks, and which of them a seat has. A buyer's map, an organiser's heat map and
// a preview differ in nothing else.
import type { Palette } from './palette.ts'
import type { Shape } from './glyphs.ts'

export interface Look {
  shape: Shape
  fill?: string
  stroke?: string
  /** Colour of the number on the seat; absent: the seat carries none. */
  ink?: string
  /** A sign instead of the number, drawn in `ink`. */
  sign?: Shape
}

/** How a section shows while its seats are too small to be seen. */
export interface SectionLook {
  colour: string
  /** 0 … 1: how strongly the colour is laid on. */
  share: number
  /** Nothing to be had here: hatched, so that it does not take a colour to say so. */
  none: boolean
  /** Under its name: a price, a count. */
  words: string
}

export interface Looks {
  /** Made anew when the theme changes. At most LOOKS_MAX. */
  book: (palette: Palette) => readonly Look[]
  /** Index into the book. Called for every seat in sight: no allocation, no reactive read. */
  lookOf: (n: number) => number
  sectionLook: (index: number, palette: Palette) => SectionLook
  /** Called before all seats are drawn anew: the time to look up what `lookOf` must not. */
  refresh?: () => void
}

export const LOOKS_MAX = 256
