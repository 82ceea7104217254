// Owns small halls for the rules of choosing seats.
import { hallOf, type Hall } from '../../server/bookings/best/hall.ts'
import type { MapAccess } from '../../server/protocol/http.ts'
import { layOut } from '../../server/protocol/map-layout/lay-out.ts'

/** Sections one after another, seated ones in straight rows. */
export function aHall(
  sections: { name: string; tier?: number; rows?: number; seatsPerRow?: number; capacity?: number }[],
  access?: MapAccess,
): Hall {
  let firstN = 0
  const laid = sections.map(({ name, tier = 0, rows = 1, seatsPerRow = 10, capacity }, id) => {
    const seatCount = capacity ?? rows * seatsPerRow
    const section = {
      id,
      name,
      kind: capacity === undefined ? ('seated' as const) : ('general' as const),
      tierId: tier,
      firstN,
      seatCount,
      layout:
        capacity === undefined
          ? {
              rows,
              seatsPerRow,
              rowLabels: Array.from({ length: rows }, (_, i) => String(i + 1)),
              numbering: 'left-to-right' as const,
              shape: 'straight' as const,
            }
          : null,
    }
    firstN += seatCount
    return section
  })
  const tiers = [
    { id: 0, name: 'Standard', price: 1 },
    { id: 1, name: 'Cheap', price: 1 },
  ]
  return hallOf(layOut({ mapVersion: 1, seatCount: firstN, currency: 'EUR', tiers, sections: laid, access }))
}
