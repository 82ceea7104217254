// Decides what a hall will be made from once the section at hand is saved: the very thing the server lays out.
import type { MapView, SectionBody } from '../../../server/protocol/http.ts'
import type { HouseView } from '../../../server/protocol/map-layout/house.ts'

type Section = HouseView['sections'][number]

/** The hall as it is, to which a section can be put: in the place of another, or behind all. */
export function houseOf(map: MapView | null, currency: string) {
  const view: HouseView = {
    mapVersion: map?.mapVersion ?? 0,
    seatCount: map?.total ?? 0,
    currency,
    tiers: map?.tiers.map(({ name, price }, id) => ({ id, name, price: price.amount })) ?? [],
    sections: map ? sectionsOf(map) : [],
  }

  /** @param instead name of the section whose place it takes; null = behind all */
  function put(body: SectionBody, instead: string | null): void {
    const at = view.sections.findIndex(({ name }) => instead !== null && name === instead)
    const tier = tierOf(view, body.tier.name, amountOf(body))
    const section = sectionOf(body, tier)
    view.sections.splice(at < 0 ? view.sections.length : at, at < 0 ? 0 : 1, section)
    let next = 0
    for (const [id, one] of view.sections.entries()) {
      one.id = id
      one.firstN = next
      next += one.seatCount
    }
    view.seatCount = next
    usedTiers(view)
  }
  return { view, put }
}

const amountOf = ({ tier: { price } }: SectionBody): number =>
  typeof price === 'number' ? price : price.amount

function tierOf(view: HouseView, name: string, price: number): number {
  const known = view.tiers.find((tier) => tier.name === name)
  if (known) {
    known.price = price
    return known.id
  }
  view.tiers.push({ id: view.tiers.length, name, price })
  return view.tiers.length - 1
}

/** Tiers count from the first section on; one that nobody uses any more is gone. */
function usedTiers(view: HouseView): void {
  const used: HouseView['tiers'] = []
  for (const section of view.sections) {
    const tier = view.tiers[section.tierId]
    if (tier && !used.includes(tier)) used.push(tier)
    if (tier) section.tierId = used.indexOf(tier)
  }
  view.tiers = used.map((tier, id) => ({ ...tier, id }))
}

function sectionOf(body: SectionBody, tierId: number): Section {
  const common = { id: 0, firstN: 0, name: body.name, tierId }
  if ('capacity' in body) return { ...common, kind: 'general', seatCount: body.capacity, layout: null }
  const { rows, seatsPerRow, rowLabels = [], numbering = 'left-to-right', shape = 'straight' } = body
  const layout = { rows, seatsPerRow, rowLabels, numbering, shape }
  return { ...common, kind: 'seated', seatCount: rows * seatsPerRow, layout }
}

/** What a map was made from, so that it can be laid out anew. */
const sectionsOf = (map: MapView): Section[] =>
  map.sections.map(({ id, name, kind, tier, first, seats, rows, numbering }) => ({
    id,
    name,
    kind,
    tierId: tier,
    firstN: first,
    seatCount: seats,
    layout:
      kind === 'general'
        ? null
        : {
            rows: rows.length,
            seatsPerRow: rows[0]?.count ?? 0,
            rowLabels: rows.map(({ label }) => label),
            numbering: numbering ?? 'left-to-right',
            shape: rows[0]?.arc ? 'arc' : 'straight',
          },
  }))
