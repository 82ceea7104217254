// Owns k6 as the crowd of `bench nodes`: a scenario that makes its own event, run through the faults with the answers that
// state them asked again.
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SurgeFigure } from '../../k6/lib/figures.ts'
import { findK6 } from '../surge/find-k6.ts'
import { runK6, THRESHOLDS_MISSED, type K6Outcome } from '../surge/k6-run.ts'
import { listScenarios } from '../surge/scenarios.ts'
import { say, type RunningSale } from './nodes-blows.ts'
import type { Nodes } from './nodes-stack.ts'
import type { Row } from './report.ts'

const CACHE = join(import.meta.dir, '../../.cache')
/** Where people stand in line and hold seats for longer than the faults take. */
const SCENARIOS = ['full-onsale']
/** Broken on purpose, on a machine full of processes; people look longer, so that every fault falls into the sale. */
const SIZES = { FAULTS: '1', MOMENTS: '1', PATIENCE: '20', LOOK_MS: '20000' }
const EVENT_WITHIN_MS = 120_000
const POLL_MS = 100
/** As the scenario says each admission it hears of. */
const MOMENT = /\badmitted (\d+)/
const TREND = /p\(95\) ([\d.]+)/
/** Told without anything being asked of it. */
const TOLD = new Set([
  'retries_told',
  'retries_unanswered',
  'sockets_cut_off',
  'sockets_sent_away',
  'refused_frames',
  'admitted',
  'went_home_sold_out',
  'seat_conflicts',
  'join_ms',
  'claim_ms',
])

/** Resolves when the scenario has published its event. Throws a sentence when it cannot be run. */
export async function sellToK6(
  nodes: Nodes,
  name: string,
  sizes: Record<string, string>,
): Promise<RunningSale> {
  const scenario = listScenarios().find((one) => one.name === name && SCENARIOS.includes(name))
  if (!scenario) throw new Error(`--scenario takes ${SCENARIOS.join(', ')}, not ${name}`)
  const found = await findK6({ env: process.env, cacheDir: CACHE, say })
  if (!found.ok) throw new Error(found.problem)
  const { url, organizer } = nodes
  const consoleFile = join(tmpdir(), `onsale-nodes-${process.pid}.console`)
  const summaryFile = join(tmpdir(), `onsale-nodes-${process.pid}.json`)
  const known = await listEvents(nodes)
  const running = runK6({
    k6: found.k6,
    scenario,
    url,
    organizer,
    sizes: { ...SIZES, ...sizes },
    summaryFile,
    consoleFile,
  })
  const eventId = await Promise.race([publishedBeside(nodes, known), running.then(() => null)])
  if (eventId === null) throw new Error('k6 ended before it had an event')
  const over = running.then(async (outcome) => ({
    admissions: readMoments(consoleFile),
    rows: [await soldRow(nodes, eventId, outcome), ...figureRows(outcome)],
  }))
  return { eventId, over }
}

async function listEvents({ ledger }: Nodes): Promise<Set<string>> {
  const rows = await ledger.sql<{ id: string }[]>`select id from events where status = 'PUBLISHED'`
  return new Set(rows.map(({ id }) => id))
}

async function publishedBeside(nodes: Nodes, known: Set<string>): Promise<string | null> {
  const deadline = Date.now() + EVENT_WITHIN_MS
  while (Date.now() < deadline) {
    for (const id of await listEvents(nodes)) if (!known.has(id)) return id
    await Bun.sleep(POLL_MS)
  }
  return null
}

/** What else the scenario had to say goes to the terminal. */
function readMoments(file: string): number[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  rmSync(file)
  for (const line of lines) if (!MOMENT.test(line)) say(line)
  return lines.flatMap((line) => Number(MOMENT.exec(line)?.[1] ?? []))
}

async function soldRow({ ledger }: Nodes, eventId: string, { code, seconds }: K6Outcome): Promise<Row> {
  const [row] = await ledger.sql<{ all: number; sold: number }[]>`
    select count(*)::int as all, (count(*) filter (where status = 'SOLD'))::int as sold
    from seats where event_id = ${eventId}`
  const { all, sold } = row!
  const ended = code === 0 || code === THRESHOLDS_MISSED
  return {
    what: 'seats sold',
    figures: [sold],
    unit: 'seats',
    against: String(all),
    ok: sold === all && ended,
    note: ended ? `in ${seconds.toFixed(0)} s` : `k6 ended with ${code}`,
  }
}

const figureRows = ({ figures }: K6Outcome): Row[] =>
  figures.filter(({ name, ok }) => ok !== null || TOLD.has(name)).map(rowOf)

/** A trend by its 95th percentile. */
function rowOf({ name, value, ok, asked }: SurgeFigure): Row {
  const percentile = TREND.exec(value)?.[1]
  const note = percentile === undefined ? '' : value
  return {
    what: name,
    figures: [Number.parseFloat(percentile ?? value)],
    unit: percentile === undefined ? '' : 'ms',
    against: asked,
    ok,
    note,
  }
}
