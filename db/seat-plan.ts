// Decides what a request for seats adds to an event: which tiers and sections are new, and what contradicts what exists.
import type { Problem } from './event-rules.ts'
import type { SectionRow, TierRow } from './events.ts'
import type { RowAccess, SectionLayout } from './schema.ts'

/** A price in minor units; given with a currency, it must be the event's. */
export type NewPrice = number | { amount: number; currency: string }
export interface NewTier {
  name: string
  price: NewPrice
}
export interface NewSeatedSection {
  name: string
  tier: NewTier
  rows: number
  seatsPerRow: number
  /** As many as rows, front first; A … Z, AA … when left out. */
  rowLabels?: string[]
  numbering?: SectionLayout['numbering']
  shape?: SectionLayout['shape']
  /** Seats kept for who needs them, by row and number; the others are for everybody. */
  access?: RowAccess[]
}
export interface NewGeneralSection {
  name: string
  tier: NewTier
  /** Places without row or number. */
  capacity: number
}
export type NewSection = NewSeatedSection | NewGeneralSection

export type PlannedTier = Omit<TierRow, 'eventId'>
export type PlannedSection = Omit<SectionRow, 'eventId'>

interface Known {
  currency: string
  seatCount: number
  tiers: TierRow[]
  sections: SectionRow[]
}
interface Plan {
  tiers: PlannedTier[]
  sections: PlannedSection[]
  problems: Problem[]
}

const SEATS_PER_EVENT = 200_000
/** Their ids are small integers in every seat's row; a real house has some hundreds. */
const SECTIONS_PER_EVENT = 5_000
const TIERS_PER_EVENT = 500
const LETTERS = 26
const LETTER_A = 65

/** What is new, in the order asked for, with ids and first n; `problems` name the place in the request's `sections`. */
export function planSections(known: Known, wanted: NewSection[]): Plan {
  const plan: Plan = { tiers: [], sections: [], problems: [] }
  const seen = new Set<string>()
  let next = known.seatCount
  for (const [index, section] of wanted.entries()) {
    const wrong = (field: string, message: string) =>
      plan.problems.push({ path: `/sections/${index}${field}`, message })
    const name = section.name.trim()
    if (seen.has(name)) wrong('/name', 'is the name of two sections in this request')
    seen.add(name)
    const tierId = planTier(known, plan, section.tier, wrong)
    const layout = 'capacity' in section ? null : planLayout(section, wrong)
    const seatCount = 'capacity' in section ? section.capacity : section.rows * section.seatsPerRow
    if (!Number.isInteger(seatCount) || seatCount < 1) wrong('', 'must have at least one seat')
    const existing = known.sections.find((one) => one.name === name)
    if (existing) {
      const same = existing.tierId === tierId && existing.seatCount === seatCount
      if (!same || !Bun.deepEquals(existing.layout, layout))
        wrong('/name', 'is the name of a section that exists with another layout')
      continue
    }
    const id = known.sections.length + plan.sections.length
    const kind = layout ? 'seated' : 'general'
    plan.sections.push({ id, name, kind, tierId, firstN: next, seatCount, layout })
    next += seatCount
  }
  const all = (message: string) => plan.problems.push({ path: '/sections', message })
  if (next > SEATS_PER_EVENT) all(`an event has at most ${SEATS_PER_EVENT} seats; this would make ${next}`)
  if (known.sections.length + plan.sections.length > SECTIONS_PER_EVENT)
    all(`an event has at most ${SECTIONS_PER_EVENT} sections`)
  if (known.tiers.length + plan.tiers.length > TIERS_PER_EVENT)
    all(`an event has at most ${TIERS_PER_EVENT} tiers`)
  return plan
}

type Wrong = (field: string, message: string) => void

function planTier(known: Known, plan: Plan, tier: NewTier, wrong: Wrong): number {
  const name = tier.name.trim()
  const price = typeof tier.price === 'number' ? tier.price : tier.price.amount
  if (typeof tier.price === 'object' && tier.price.currency !== known.currency)
    wrong('/tier/price/currency', `must be the event's, ${known.currency}`)
  if (!Number.isSafeInteger(price) || price < 0) wrong('/tier/price', 'must be a whole number of minor units')
  const existing = [...known.tiers, ...plan.tiers].find((one) => one.name === name)
  if (existing) {
    if (existing.price !== price) wrong('/tier/price', `tier ${name} already costs ${existing.price}`)
    return existing.id
  }
  const id = known.tiers.length + plan.tiers.length
  plan.tiers.push({ id, name, price })
  return id
}

function planLayout(section: NewSeatedSection, wrong: Wrong): SectionLayout {
  const { rows, seatsPerRow, numbering = 'left-to-right', shape = 'straight' } = section
  const rowLabels =
    section.rowLabels?.map((label) => label.trim()) ?? Array.from({ length: rows }, (_, at) => rowLabel(at))
  if (rowLabels.length !== rows) wrong('/rowLabels', `must be as many as rows, ${rows}`)
  if (rowLabels.includes('')) wrong('/rowLabels', 'must not be empty')
  if (new Set(rowLabels).size !== rowLabels.length) wrong('/rowLabels', 'must differ from each other')
  const layout: SectionLayout = { rows, seatsPerRow, rowLabels, numbering, shape }
  return section.access?.length ? { ...layout, access: planAccess(section.access, layout, wrong) } : layout
}

/** Rows and numbers must be there, each seat named once. */
function planAccess(
  asked: RowAccess[],
  { seatsPerRow, rowLabels }: SectionLayout,
  wrong: Wrong,
): RowAccess[] {
  const named = new Set<string>()
  return asked.map(({ row, accessible = [], companion = [] }, at) => {
    const label = row.trim()
    if (!rowLabels.includes(label)) wrong(`/access/${at}/row`, 'must be the label of one of the rows')
    for (const number of [...accessible, ...companion]) {
      if (!isNumberTo(seatsPerRow, number)) wrong(`/access/${at}`, `seat ${number} is not one of the row`)
      const seat = `${label} ${number}`
      if (named.has(seat)) wrong(`/access/${at}`, `seat ${seat} is named twice`)
      named.add(seat)
    }
    return { row: label, accessible, companion }
  })
}

/** Whatever the numbering, the seats of a row are numbered 1 … most. */
const isNumberTo = (most: number, number: string) => /^[1-9]\d*$/.test(number) && Number(number) <= most

/** A … Z, AA … AZ, BA …, as spreadsheets count; `at` is 0-based from the front. */
export function rowLabel(at: number): string {
  const letter = String.fromCharCode(LETTER_A + (at % LETTERS))
  return at < LETTERS ? letter : rowLabel(Math.floor(at / LETTERS) - 1) + letter
}
