// Owns the crowd of our own in `bench nodes`: buyers on sockets who stand in line, look, hold one seat each and pay.
import { createCrowd } from '../../db/crowd.ts'
import { createEvent, publishEvent } from '../../db/events.ts'
import { assignRoles, listRoles } from '../../db/roles.ts'
import { saveRoom, type RoomChoice } from '../../db/rooms.ts'
import { createSeats } from '../../db/seats.ts'
import type { DevBuyerView } from '../../server/protocol/http.ts'
import { Api } from '../crowd/api.ts'
import { newRecord, runBuyer, type BuyerRecord } from '../crowd/buyer.ts'
import { joinBySocket } from '../crowd/line.ts'
import { makeReport } from '../crowd/report.ts'
import { Seats } from '../crowd/seats.ts'
import type { RunningSale } from './nodes-blows.ts'
import type { Nodes } from './nodes-stack.ts'
import type { Row } from './report.ts'

const SEATS_PER_ROW = 20
const ROWS = 18
export const SEATS = ROWS * SEATS_PER_ROW
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
const DAY_MS = 86_400_000
/** What a buyer may be told while something is being replaced: each is followed by the same request again. */
const STATED = new Set(['store_unavailable', 'overloaded', 'rate_limited', 'idempotency_in_progress'])
/** And what is said when all is well. */
const ORDINARY = new Set(['seat_taken', 'seat_locked', 'sold_out', 'pass_expired', 'pass_required'])

/** Resolves when the first of them are on their way. */
export async function sellToCrowd(nodes: Nodes, count: number): Promise<RunningSale> {
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
  const over = Promise.all(crowd).then(() => ({
    admissions: records.flatMap(({ visits }) => visits.flatMap(({ admittedBy }) => admittedBy?.seen ?? [])),
    rows: saleRows(records, refusals, (Date.now() - began) / 1_000),
  }))
  return { eventId, over }
}

function saleRows(records: BuyerRecord[], refusals: Map<string, number>, seconds: number): Row[] {
  const report = makeReport(records, refusals, seconds)
  const { bought = 0, sold_out: late = 0, ...lost } = report.outcomes
  const told = [...refusals].toSorted((a, b) => b[1] - a[1]).map(([code, n]) => `${code} ${n}`)
  const wrong = [...refusals].filter(([code]) => !STATED.has(code) && !ORDINARY.has(code))
  const wrongs = wrong.reduce((total, [, n]) => total + n, 0)
  return [
    {
      what: 'seats sold',
      figures: [bought],
      unit: 'seats',
      against: `${Math.min(SEATS, records.length)}`,
      ok: bought === Math.min(SEATS, records.length),
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
