// Decides how a section is typed: as a new one begins, as one on the map is typed again, and as it is sent.
import type { MapSection, MapView, SectionBody } from '../../server/protocol/http.ts'
import { LIMITS } from '../../server/protocol/codes.ts'
import { rowLabelsOf, rowNamesOf, seatsOf, type TypedSection } from './section-rules.ts'

const ROWS_FIRST = 10
const SEATS_FIRST = 20
const PLACES_FIRST = 100

export const emptySection = (kind: TypedSection['kind']): TypedSection => ({
  kind,
  name: '',
  tier: '',
  price: null,
  rows: ROWS_FIRST,
  seatsPerRow: SEATS_FIRST,
  rowNames: 'letters',
  ownRows: '',
  numbering: 'left-to-right',
  shape: 'straight',
  capacity: PLACES_FIRST,
})

/** @param digits of the currency's minor unit */
export function typedOf(section: MapSection, map: MapView | null, digits: number): TypedSection {
  const { kind, name, seats, rows, numbering } = section
  const tier = map?.tiers[section.tier]
  const labels = rows.map(({ label }) => label)
  const common = { name, tier: tier?.name ?? '', price: (tier?.price.amount ?? 0) / 10 ** digits }
  if (kind === 'general') return { ...emptySection(kind), ...common, capacity: seats }
  return {
    ...emptySection(kind),
    ...common,
    rows: rows.length,
    seatsPerRow: rows[0]?.count ?? 0,
    rowNames: rowNamesOf(labels),
    ownRows: labels.join(', '),
    numbering: numbering ?? 'left-to-right',
    shape: rows[0]?.arc ? 'arc' : 'straight',
  }
}

/** @param price in minor units */
export function bodyOf(typed: TypedSection, price: number): SectionBody {
  const tier = { name: typed.tier.trim(), price }
  const name = typed.name.trim()
  if (typed.kind === 'general') return { name, tier, capacity: typed.capacity ?? 0 }
  const { seatsPerRow, numbering, shape } = typed
  const rowLabels = rowLabelsOf(typed)
  return { name, tier, rows: rowLabels.length, seatsPerRow: seatsPerRow ?? 0, rowLabels, numbering, shape }
}

/** What is not complete yet, or larger than any section may be, is left out of the drawn hall. */
export function isDrawable(typed: TypedSection): boolean {
  const seats = seatsOf(typed)
  if (seats < 1 || seats > LIMITS.seatsPerEvent) return false
  if (typed.kind === 'general') return true
  const rows = rowLabelsOf(typed).length
  const count = typed.seatsPerRow ?? 0
  return rows >= 1 && rows <= LIMITS.rowsPerSection && Number.isInteger(count) && count <= LIMITS.seatsPerRow
}
