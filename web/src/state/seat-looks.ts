// Decides how seats look to a buyer: by price category, state, access, and whether they serve the wish.
import {
  accessShape,
  blockedShape,
  companionSign,
  heldShape,
  soldShape,
  tierShape,
  TIER_SHAPES,
  wheelchairSign,
} from '../components/seat-map/glyphs.ts'
import type { Look, Looks } from '../components/seat-map/looks.ts'
import { tierColour, type Palette } from '../components/seat-map/palette.ts'
import { formatCount, formatMoney } from '../format.ts'
import { m } from '#messages'
import type { SeatMap } from './seat-map.svelte.ts'
import { AVAILABLE } from './seat-status.ts'

/** Look of a free seat: (category × kinds of access + kind) × 2, and 1 more when it serves. Then the other states. */
const KINDS = 3
const FREE_LOOKS = TIER_SHAPES * KINDS * 2
const STATES = 4

export interface Serving {
  mayBeSection: (section: number) => boolean
}

export function buyerLooks(seats: SeatMap, wish: Serving): Looks {
  const sections = seats.map?.sections ?? []
  const tierOf = Uint8Array.from(sections, ({ tier }) => tier % TIER_SHAPES)
  let serves = new Uint8Array(sections.length).fill(1)
  return {
    refresh: () => {
      serves = Uint8Array.from(sections, (_, index) => (wish.mayBeSection(index) ? 1 : 0))
    },
    book: lookBook,
    lookOf: (n) => {
      const code = seats.codeOf(n)
      if (code !== AVAILABLE) return FREE_LOOKS + code
      const section = seats.sectionOf(n)
      return ((tierOf[section] ?? 0) * KINDS + seats.accessOf(n)) * 2 + (serves[section] ?? 1)
    },
    sectionLook: (index, palette) => {
      const section = sections[index]
      const free = seats.freeInSection(index)
      const colour = tierColour(palette, section?.tier ?? 0)
      const share = section && section.seats > 0 ? free / section.seats : 0
      if (!section || free === 0)
        return { colour: palette.control, share: 0, none: true, words: m.seats_none_free() }
      const price = seats.map?.tiers[section.tier]?.price
      const words = `${price ? `${formatMoney(price)} · ` : ''}${m.seats_free({ count: formatCount(free) })}`
      return serves[index] === 0
        ? { colour: palette.control, share: 0.05, none: false, words }
        : { colour, share, none: false, words }
    },
  }
}

function lookBook(palette: Palette): Look[] {
  const free = Array.from({ length: TIER_SHAPES }, (_, tier) => {
    const colour = tierColour(palette, tier)
    const faint = `color-mix(in oklab, ${colour} 22%, ${palette.sunken})`
    return [0, 1, 2].flatMap((kind): Look[] => {
      const shape = kind === 0 ? tierShape(tier) : accessShape
      const signed = kind === 0 ? {} : { sign: kind === 1 ? wheelchairSign : companionSign }
      return [
        { shape, fill: faint, ink: palette.inkSoft, ...signed },
        { shape, fill: colour, ink: palette.paper, ...signed },
      ]
    })
  }).flat()
  const states: Look[] = Array.from({ length: STATES }, () => ({ shape: soldShape, fill: palette.control }))
  states[1] = { shape: heldShape, stroke: palette.control }
  states[3] = { shape: blockedShape, stroke: palette.control }
  return [...free, ...states]
}
