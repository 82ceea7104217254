// Decides what `bench nodes` shows: a whole sale behind a proxy, on a Redis Cluster, while every server is restarted
// in turn and the master that holds the event is killed.
import { parseArgs } from 'node:util'
import { runAudit } from '../../db/audit.ts'
import { createCrowd } from '../../db/crowd.ts'
import { createEvent, publishEvent } from '../../db/events.ts'
import { connectRedis, redisReady } from '../../db/redis.ts'
import { assignRoles, listRoles } from '../../db/roles.ts'
import { saveRoom, type RoomChoice } from '../../db/rooms.ts'
import { createSeats } from '../../db/seats.ts'
import type { DevBuyerView } from '../../server/protocol/http.ts'
import { roomKey } from '../../server/room/keys.ts'
import { Api } from '../crowd/api.ts'
import { newRecord, runBuyer, type BuyerRecord } from '../crowd/buyer.ts'
import { joinBySocket } from '../crowd/line.ts'
import { makeReport } from '../crowd/report.ts'
import { Seats } from '../crowd/seats.ts'
import { NODE_TIMEOUT_MS, SERVERS, startNodes, type Nodes } from './nodes-stack.ts'
import type { Report, Row } from './report.ts'

const BUYERS = '400'
const SEATS_PER_ROW = 20
const ROWS = 18
const ROOM: RoomChoice = {
  enabled: true,
  lobbyAt: null,
  activeMax: 20,
  admitPerMinute: null,
  doorSeconds: 20,
  passSeconds: 120,
  graceSeconds: 60,
}
const THINK_MS = 2_500
const PATIENCE_MS = 8_000
const WITHIN_MS = 200_000
const ARRIVALS_A_SECOND = 100
const WARM_MS = 12_000
const BETWEEN_MS = 6_000
/** A gap is that fault's when it falls within so long of it. */
const FELT_MS = 25_000
const QUIET_WITHIN_MS = 30_000
const POLL_MS = 100
const DAY_MS = 86_400_000
/** What a buyer may be told while something is being replaced: each is followed by the same request again. */
const STATED = new Set(['store_unavailable', 'overloaded', 'rate_limited', 'idempotency_in_progress'])
/** And what is said when all is well. */
const ORDINARY = new Set(['seat_taken', 'seat_locked', 'sold_out', 'pass_expired', 'pass_required'])
const GAPS_MAX_S = { restart: 5, failover: 20 }

export async function bench(args: string[]): Promise<Report> {
  const { values } = parseArgs({
    args,
    options: { buyers: { type: 'string', default: BUYERS }, logs: { type: 'string' } },
  })
  const buyers = Number(values.buyers)
  if (!Number.isInteger(buyers) || buyers < 1) throw new Error('--buyers must be a whole number above 0')
  say('starting Postgres, three masters with a replica each, two servers, a proxy and a worker')
  const nodes = await startNodes(values.logs)
  try {
    const rows = await sell(nodes, buyers)
    const { proxy } = nodes
    return {
      bench: 'nodes',
      options: {
        buyers,
        seats: ROWS * SEATS_PER_ROW,
        servers: SERVERS,
        proxy,
        nodeTimeoutMs: NODE_TIMEOUT_MS,
      },
      rows,
    }
  } finally {
    await nodes.stop()
  }
}

const say = (sentence: string) => console.error(`bench nodes: ${sentence}`)

interface Blow {
  what: string
  at: number
  note: string
  gapMaxS: number
}

async function sell(nodes: Nodes, count: number): Promise<Row[]> {
  const eventId = await openEvent(nodes)
  const refusals = new Map<string, number>()
  const events = { refused: (code: string) => void refusals.set(code, (refusals.get(code) ?? 0) + 1) }
  const deadline = Date.now() + WITHIN_MS
  const { url } = nodes
  const visitor = new Api(url, undefined, deadline, events)
  const made = await visitor.call<DevBuyerView[]>({
    method: 'POST',
    path: '/dev/buyers',
    body: { count },
    key: Bun.randomUUIDv7(),
  })
  if (!made.ok) throw new Error(`no buyers could be made: ${made.code}`)
  const seats = new Seats(visitor, eventId)
  await seats.look()
  const records = made.data.map(newRecord)
  const holds: number[] = []
  const began = Date.now()
  const crowd = made.data.map(async ({ accessToken: token }, index) => {
    await Bun.sleep((index / ARRIVALS_A_SECOND) * 1_000)
    const api = new Api(url, token, deadline, events)
    const plan = {
      party: 1,
      pays: true,
      patienceMs: PATIENCE_MS,
      thinkMs: THINK_MS,
      deadline,
      eventId,
      room: true,
    }
    const join = (listen: Parameters<typeof joinBySocket>[0]['listen']) =>
      joinBySocket({ url, eventId, token, listen })
    await runBuyer(plan, { api, seats, join }, records[index]!)
  })
  const done = Promise.all(crowd)
  const blows = await strike(nodes, eventId)
  await done
  const seconds = (Date.now() - began) / 1_000
  say(`the sale is over after ${seconds.toFixed(0)} s; the audit`)
  for (const at of await holdTimes(nodes, eventId)) holds.push(at)
  const admissions = records.flatMap(({ visits }) =>
    visits.flatMap(({ admittedBy }) => admittedBy?.seen ?? []),
  )
  return [
    ...blows.flatMap((blow, i) => [
      gapRow(`${blow.what}: longest gap between admissions`, admissions, blow, blows[i + 1]?.at),
      gapRow(`${blow.what}: longest gap between holds`, holds, blow, blows[i + 1]?.at),
    ]),
    ...saleRows(records, refusals, seconds),
    await auditRow(nodes),
  ]
}

async function strike(nodes: Nodes, eventId: string): Promise<Blow[]> {
  const blows: Blow[] = []
  await Bun.sleep(WARM_MS)
  for (let server = 0; server < SERVERS; server++) {
    const at = Date.now()
    say(`server ${server + 1} is restarted`)
    const { goneMs, readyMs, exitCode } = await nodes.restart(server)
    const note = `gone after ${inSeconds(goneMs)} with code ${exitCode}, the next ready after ${inSeconds(readyMs)}`
    blows.push({ what: `server ${server + 1} restarted`, at, note, gapMaxS: GAPS_MAX_S.restart })
    await Bun.sleep(BETWEEN_MS)
  }
  const { cluster } = nodes
  const key = roomKey(eventId, 'meta')
  const master = await cluster.masterOf(key)
  const at = Date.now()
  say(`the master with the event is killed`)
  process.kill(master.pid, 'SIGKILL')
  const deadline = at + GAPS_MAX_S.failover * 1_000
  let heir = master
  while (heir === master && Date.now() < deadline) {
    await Bun.sleep(POLL_MS)
    heir = await cluster.masterOf(key).catch(() => master)
  }
  const note =
    heir === master ? 'nobody took over' : `its replica took over after ${inSeconds(Date.now() - at)}`
  blows.push({ what: 'master killed', at, note, gapMaxS: GAPS_MAX_S.failover })
  return blows
}

const inSeconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`

/** Gaps until the next blow, or for as long as this one may be felt. */
function gapRow(what: string, moments: number[], { at, note, gapMaxS }: Blow, next = Infinity): Row {
  const sorted = moments.toSorted((a, b) => a - b)
  const gaps = sorted.slice(1).map((to, i) => ({ from: sorted[i]!, to }))
  const felt = gaps.filter(({ from, to }) => to > at && from < Math.min(at + FELT_MS, next))
  const longest = Math.max(0, ...felt.map(({ from, to }) => (to - from) / 1_000))
  return {
    what,
    figures: [longest],
    unit: 's',
    against: `≤ ${gapMaxS} s`,
    ok: felt.length > 0 && longest <= gapMaxS,
    note,
  }
}

function saleRows(records: BuyerRecord[], refusals: Map<string, number>, seconds: number): Row[] {
  const report = makeReport(records, refusals, seconds)
  const { bought = 0, sold_out: late = 0, ...lost } = report.outcomes
  const all = ROWS * SEATS_PER_ROW
  const told = [...refusals].toSorted((a, b) => b[1] - a[1]).map(([code, n]) => `${code} ${n}`)
  const wrong = [...refusals].filter(([code]) => !STATED.has(code) && !ORDINARY.has(code))
  const wrongs = wrong.reduce((total, [, n]) => total + n, 0)
  return [
    {
      what: 'seats sold',
      figures: [bought],
      unit: 'seats',
      against: `${Math.min(all, records.length)}`,
      ok: bought === Math.min(all, records.length),
      note: `in ${seconds.toFixed(0)} s; ${late} found it sold out; others: ${JSON.stringify(lost)}; ${report.overtakings.length} overtaken`,
    },
    {
      what: 'refusals that are not stated (and requests without an answer)',
      figures: [wrongs],
      unit: '',
      against: '0',
      ok: wrongs === 0,
      note: told.join(', '),
    },
  ]
}

/** When holds were made, ms; by the one clock of the ledger. */
async function holdTimes({ ledger }: Nodes, eventId: string): Promise<number[]> {
  const rows = await ledger.sql<{ at: Date }[]>`
    select created_at as at from bookings where event_id = ${eventId} order by created_at`
  return rows.map(({ at }) => new Date(at).getTime())
}

async function auditRow({ ledger, cluster }: Nodes): Promise<Row> {
  const redis = connectRedis(cluster.url, { role: 'subscriber', name: 'onsale-nodes' })
  try {
    await redisReady(redis)
    const deadline = Date.now() + QUIET_WITHIN_MS
    for (;;) {
      const results = await runAudit({ db: ledger.db, redis })
      const broken = results.filter(({ ok }) => !ok)
      if (broken.length > 0 && Date.now() < deadline) {
        await Bun.sleep(1_000)
        continue
      }
      const note = broken.map(({ id, sample }) => `${id}: ${sample.slice(0, 2).join('; ')}`).join(' | ')
      return {
        what: 'broken invariants',
        figures: [broken.length],
        unit: '',
        against: '0',
        ok: broken.length === 0,
        note,
      }
    }
  } finally {
    redis.disconnect()
  }
}

async function openEvent({ ledger: { db } }: Nodes): Promise<string> {
  const [account] = await createCrowd(db, { count: 1, sessionsUntil: new Date(Date.now() + DAY_MS) })
  const role = (await listRoles(db)).find(({ name }) => name === 'ORGANIZER')!
  await assignRoles(db, { accountId: account!.id, roleIds: [role.id] })
  const made = await createEvent(db, {
    ownerId: account!.id,
    name: 'A night on several machines',
    location: 'Large hall',
    startsAt: new Date(Date.now() + 30 * DAY_MS),
    currency: 'EUR',
    timeZone: 'Europe/Berlin',
    maxSeatsPerBuyer: 4,
    holdSeconds: 120,
  })
  if (!made.ok) throw new Error(`the event was refused: ${made.refusal}`)
  const tier = { name: 'Standard', price: 2_500 }
  const section = { name: 'Stalls', tier, rows: ROWS, seatsPerRow: SEATS_PER_ROW }
  const seated = await createSeats(db, made.event.id, [section])
  if (!seated.ok) throw new Error(`the seats were refused: ${seated.refusal}`)
  await publishEvent(db, made.event.id)
  await saveRoom(db, made.event.id, ROOM)
  return made.event.id
}
