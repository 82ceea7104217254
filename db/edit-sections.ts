// Decides how a draft's sections and tiers are changed and taken away, the seats behind them moving up in map order.
import { and, asc, eq } from 'drizzle-orm'
import { inTransaction, type Db, type Tx } from './client.ts'
import { isId, type SectionRow } from './events.ts'
import type { Problem } from './event-rules.ts'
import { newMap, rebuildSeats, type Draft, type Rebuilt } from './rebuild-seats.ts'
import { planSections, type NewSection } from './seat-plan.ts'
import { bookings, events, sections, tiers } from './schema.ts'

export interface TierChange {
  name?: string
  /** Minor units. */
  price?: number
}

type Refused =
  | { ok: false; refusal: 'request_invalid'; problems: Problem[] }
  /** `seat_taken`: somebody booked seats of the event, be it long ago. */
  | { ok: false; refusal: 'not_found' | 'seat_taken' | 'event_not_on_sale' }
export type EditOutcome = ({ ok: true } & Rebuilt) | Refused

/**
 * Puts `replacement` in a section's place, or takes the section away when it is null. Only in a draft: once buyers have
 * seen a map, n means one seat for good. What was off sale or kept for somebody stays so where the row and the number
 * still exist; a replacement that names `access` decides that itself. Tiers no section uses any more are gone.
 */
export const editSection = (
  db: Db,
  eventId: string,
  name: string,
  replacement: NewSection | null,
): Promise<EditOutcome> =>
  inDraft(db, eventId, async (tx, draft) => {
    const at = draft.sections.findIndex((section) => section.name === name)
    if (at < 0) return { ok: false, refusal: 'not_found' }
    const house = draft.sections.map((section) => asked(draft, section))
    const problems = replacement ? contradictions(draft, at, replacement) : []
    house.splice(at, 1, ...(replacement ? [replacement] : []))
    const { currency } = draft.event
    const plan = planSections({ currency, seatCount: 0, tiers: [], sections: [] }, house)
    problems.push(...plan.problems.map(({ path, message }) => ({ path: ofOne(path), message })))
    if (problems.length > 0) return { ok: false, refusal: 'request_invalid', problems: distinct(problems) }
    return { ok: true, ...(await rebuildSeats(tx, draft, plan, { at, replacement })) }
  })

/** Renames a tier or changes its price, everywhere it is used. Only in a draft. */
export const editTier = (db: Db, eventId: string, name: string, change: TierChange): Promise<EditOutcome> =>
  inDraft(db, eventId, async (tx, draft) => {
    const tier = draft.tiers.find((one) => one.name === name)
    if (!tier) return { ok: false, refusal: 'not_found' }
    const renamed = change.name?.trim() ?? tier.name
    if (draft.tiers.some((one) => one !== tier && one.name === renamed))
      return refuse('/name', 'is the name of another tier')
    await tx
      .update(tiers)
      .set({ name: renamed, price: change.price ?? tier.price })
      .where(and(eq(tiers.eventId, eventId), eq(tiers.id, tier.id)))
    return { ok: true, ...(await newMap(tx, draft.event, draft.event.seatCount)), settled: [], gone: [] }
  })

async function inDraft(
  db: Db,
  eventId: string,
  edit: (tx: Tx, draft: Draft) => Promise<EditOutcome>,
): Promise<EditOutcome> {
  if (!isId(eventId)) return { ok: false, refusal: 'not_found' }
  return inTransaction(db, async (tx): Promise<EditOutcome> => {
    // FOR UPDATE: whoever publishes, adds seats or books must be seen or must wait.
    const [event] = await tx.select().from(events).where(eq(events.id, eventId)).for('update')
    if (!event) return { ok: false, refusal: 'not_found' }
    if (event.status === 'CANCELLED') return { ok: false, refusal: 'event_not_on_sale' }
    const booked = await tx
      .select({ id: bookings.id })
      .from(bookings)
      .where(eq(bookings.eventId, eventId))
      .limit(1)
    if (booked.length > 0) return { ok: false, refusal: 'seat_taken' }
    if (event.status !== 'DRAFT')
      return refuse('/', 'the map is fixed once the event is published; take seats off sale instead')
    return edit(tx, {
      event,
      tiers: await tx.select().from(tiers).where(eq(tiers.eventId, eventId)).orderBy(asc(tiers.id)),
      sections: await tx
        .select()
        .from(sections)
        .where(eq(sections.eventId, eventId))
        .orderBy(asc(sections.id)),
    })
  })
}

/** A section that exists, in the words it could be asked for with. */
function asked(draft: Draft, { name, tierId, seatCount, layout }: SectionRow): NewSection {
  const found = draft.tiers.find(({ id }) => id === tierId)
  if (!found) throw new Error('a section without its tier')
  const tier = { name: found.name, price: found.price }
  return layout ? { name, tier, ...layout } : { name, tier, capacity: seatCount }
}

/** What the replacement says against sections that stay; its own problems are the plan's to find. */
function contradictions(draft: Draft, at: number, { name, tier }: NewSection): Problem[] {
  const others = draft.sections.filter((_, index) => index !== at)
  const problems: Problem[] = []
  if (others.some((section) => section.name === name.trim()))
    problems.push({ path: '/name', message: 'is the name of another section' })
  const price = typeof tier.price === 'number' ? tier.price : tier.price.amount
  const known = draft.tiers.find((one) => one.name === tier.name.trim())
  if (known && known.price !== price && others.some(({ tierId }) => tierId === known.id))
    problems.push({ path: '/tier/price', message: `tier ${known.name} already costs ${known.price}` })
  return problems
}

/** The plan speaks of all sections; the request had one. */
const ofOne = (path: string) => path.replace(/^\/sections(\/\d+)?/, '') || '/'
const distinct = (problems: Problem[]) =>
  problems.filter(({ path }, at) => problems.findIndex((one) => one.path === path) === at)
const refuse = (path: string, message: string): Refused => ({
  ok: false,
  refusal: 'request_invalid',
  problems: [{ path, message }],
})
