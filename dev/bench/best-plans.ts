// Owns the sales `bench best` makes: the hall, and what its buyers ask for.
import type { NewSection } from '../../db/seats.ts'

export interface Ask {
  quantity: number
  section?: string
  tier?: string
}

export interface SalePlan {
  what: string
  house(seats: number): NewSection[]
  /** The wish of the i-th request. */
  ask(i: number): Ask
  /** Whether what is asked for can fill the hall without a rest. */
  toTheLast: boolean
}

const SEATS_PER_ROW = 50
const BLOCKS = ['Stalls left', 'Stalls right', 'Circle', 'Balcony']
const TIERS = [
  { name: 'Premium', price: 8_000 },
  { name: 'Standard', price: 5_000 },
]
/** Coprime to all the lengths below, so that every combination comes by. */
const STRIDE = 7

const blocks = (seats: number): NewSection[] =>
  BLOCKS.map((name, at) => ({
    name,
    tier: TIERS[at >> 1]!,
    rows: Math.ceil(seats / BLOCKS.length / SEATS_PER_ROW),
    seatsPerRow: SEATS_PER_ROW,
    shape: at < 2 ? 'straight' : 'arc',
  }))

export const SALES: SalePlan[] = [
  { what: 'pairs', house: blocks, ask: () => ({ quantity: 2 }), toTheLast: true },
  {
    what: 'one to six, some by section or tier',
    house: blocks,
    ask: (i) => {
      const quantity = 1 + ((i * STRIDE) % 6)
      if (i % 4 === 1) return { quantity, section: BLOCKS[(i >> 2) % BLOCKS.length]! }
      if (i % 4 === 3) return { quantity, tier: TIERS[(i >> 2) % TIERS.length]!.name }
      return { quantity }
    },
    toTheLast: false,
  },
  {
    what: 'pairs of a general area',
    house: (seats) => [{ name: 'Floor', tier: TIERS[0]!, capacity: seats }],
    ask: () => ({ quantity: 2 }),
    toTheLast: true,
  },
]
