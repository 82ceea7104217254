// Owns what one choice costs: a hall sold to the last pair in this process, by the code that servers run.
import { SEAT_CODES } from '../../db/lifecycle.ts'
import { Chooser } from '../../server/bookings/best/choose-seats.ts'
import { FreeSeats } from '../../server/bookings/best/free-seats.ts'
import { hallOf, type Hall } from '../../server/bookings/best/hall.ts'
import { SeatMemory } from '../../server/events/seat-memory.ts'
import { layOut } from '../../server/protocol/map-layout/lay-out.ts'
import { quantile } from './report.ts'

const SEATS_PER_ROW = 50
const ROWS_PER_SECTION = 40

/** µs of a core per choice, mean and 99.9 %, from an empty hall to a full one. */
export function choiceCost(seats: number): { perChoiceUs: number; worstUs: number; choices: number } {
  const free = new FreeSeats(hallFor(seats))
  const memory = new SeatMemory(new Uint8Array(free.hall.total), 0)
  const chooser = new Chooser(free)
  const lane = { index: 0, of: 2, underWay: 250 }
  const took: number[] = []
  const before = process.cpuUsage()
  for (let version = 1; ; version++) {
    const began = performance.now()
    free.follow(memory, Date.now())
    const choice = chooser.choose({ quantity: 2, together: true }, lane)
    if ('none' in choice) break
    free.claim(choice.seats, Date.now())
    took.push(performance.now() - began)
    memory.apply({
      previous: version - 1,
      version,
      changes: choice.seats.map((n) => [n, SEAT_CODES.RESERVED]),
    })
  }
  const { user, system } = process.cpuUsage(before)
  return {
    perChoiceUs: (user + system) / took.length,
    worstUs: 1_000 * quantile(took, 0.999),
    choices: took.length,
  }
}

function hallFor(seats: number): Hall {
  const perSection = SEATS_PER_ROW * ROWS_PER_SECTION
  const sections = Array.from({ length: Math.ceil(seats / perSection) }, (_, id) => ({
    id,
    name: `Block ${id + 1}`,
    kind: 'seated' as const,
    tierId: 0,
    firstN: id * perSection,
    seatCount: perSection,
    layout: {
      rows: ROWS_PER_SECTION,
      seatsPerRow: SEATS_PER_ROW,
      rowLabels: Array.from({ length: ROWS_PER_SECTION }, (_row, i) => String(i + 1)),
      numbering: 'left-to-right' as const,
      shape: 'arc' as const,
    },
  }))
  const seatCount = sections.length * perSection
  return hallOf(
    layOut({
      mapVersion: 1,
      seatCount,
      currency: 'EUR',
      tiers: [{ id: 0, name: 'Standard', price: 1 }],
      sections,
    }),
  )
}
