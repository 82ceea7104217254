// Decides how the audit keeps its pace whatever has been sold: all there is while that is little, else event by event in
// turns, each run going on where the last one stopped and telling what it knows of all of them.
//
// What an index finds, the line and the outbox are looked at whole in every run.
import { asc, gt } from 'drizzle-orm'
import { inOrder, line, type AuditLine } from '../audit.ts'
import { events } from '../schema.ts'
import { listEventsToReconcile } from '../seat-gate/reconcile.ts'
import { countBroken, type AuditStores, type Broken } from './broken.ts'
import { cacheCheck } from './cache-check.ts'
import { LEDGER_CHECKS } from './ledger-checks.ts'
import { checkRooms } from './room-checks.ts'

/** Work on single events in one run; the event under way is finished. */
const BUDGET_MS = 5_000
const PAGE = 100
const SAMPLE_MAX = 10

interface Findings {
  at: number
  /** By the id of the invariant, those that are broken. */
  broken: Map<string, Broken>
}

/** `budgetMs` of one run, and every event at least once in as many runs as that takes. */
export function createRoundAudit(stores: AuditStores, { budgetMs = BUDGET_MS } = {}) {
  const known = new Map<string, Findings>()

  async function look(eventId: string, cached: boolean): Promise<void> {
    const broken = new Map<string, Broken>()
    for (const { id, brokenOf } of LEDGER_CHECKS) {
      const found = brokenOf && (await countBroken(stores.db, brokenOf(eventId)))
      if (found && found.violations > 0) broken.set(id, found)
    }
    const lies = cached ? await cacheCheck.runOf(stores, [eventId]) : null
    if (lies && lies.violations > 0) broken.set(cacheCheck.id, lies)
    known.set(eventId, { at: Date.now(), broken })
  }

  /** Throws when a store does not answer; the next run goes on from here. */
  return async function run(): Promise<AuditLine[]> {
    const all = await listEventIds(stores)
    const onSale = new Set(await listEventsToReconcile(stores.db))
    for (const id of known.keys()) if (!all.has(id)) known.delete(id)
    const until = performance.now() + budgetMs
    for (const eventId of inTurn(all, known)) {
      await look(eventId, onSale.has(eventId))
      if (performance.now() > until) break
    }
    const rooms = await checkRooms(stores)
    const whole = LEDGER_CHECKS.filter(({ brokenOf }) => brokenOf === null)
    const lines = rooms.map(({ id, name, broken }) => line(id, name, broken))
    for (const { id, name, broken } of whole) lines.push(line(id, name, await countBroken(stores.db, broken)))
    for (const { id, name } of [...LEDGER_CHECKS.filter(({ brokenOf }) => brokenOf), cacheCheck])
      lines.push({ ...line(id, name, sumOf(id, known)), ...sinceOf(all, known) })
    return inOrder(lines)
  }
}

/** Broken ones first, so that what was put right is told soon; then whoever waited longest. */
function inTurn(all: Set<string>, known: Map<string, Findings>): string[] {
  const rank = (id: string) => (known.get(id)?.broken.size ? -1 : (known.get(id)?.at ?? 0))
  return [...all].toSorted((a, b) => rank(a) - rank(b))
}

function sumOf(id: string, known: Map<string, Findings>): Broken {
  const found = [...known.values()].flatMap(({ broken }) => broken.get(id) ?? [])
  return {
    violations: found.reduce((sum, { violations }) => sum + violations, 0),
    sample: found.flatMap(({ sample }) => sample).slice(0, SAMPLE_MAX),
  }
}

/** Nothing is told before every event was looked at once. */
function sinceOf(all: Set<string>, known: Map<string, Findings>): { since?: string } {
  if (known.size === 0 || known.size < all.size) return {}
  const oldest = Math.min(...[...known.values()].map(({ at }) => at))
  return { since: new Date(oldest).toISOString() }
}

async function listEventIds({ db }: AuditStores): Promise<Set<string>> {
  const ids = new Set<string>()
  for (let after: string | undefined; ;) {
    const page = await db
      .select({ id: events.id })
      .from(events)
      .where(after === undefined ? undefined : gt(events.id, after))
      .orderBy(asc(events.id))
      .limit(PAGE)
    for (const { id } of page) ids.add(id)
    if (page.length < PAGE) return ids
    after = page.at(-1)!.id
  }
}
