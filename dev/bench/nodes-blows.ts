// Decides what is done to a sale in `bench nodes`: every server is restarted in turn, one is killed outright, then the
// master that holds the event; and what of it was felt.
import { roomKey } from '../../server/room/keys.ts'
import { SERVERS, type Nodes } from './nodes-stack.ts'
import type { Row } from './report.ts'

/** After the first hold. */
const WARM_MS = 10_000
const FIRST_HOLD_WITHIN_MS = 60_000
const BETWEEN_MS = 6_000
/** A gap is that fault's when it falls within so long of it. */
const FELT_MS = 25_000
/** A gap that begins so shortly before the next blow is that one's. */
const BEGINS_MS = 1_000
const POLL_MS = 100
const LIMITS_TOLD = 8
/** Whoever was killed told nobody: the proxy finds out, and everybody comes back on their own. */
const GAPS_MAX_S = { SIGTERM: 5, SIGKILL: 10, failover: 20 }
const REPLACED_MAX_S = 15

/** A sale whose crowd is on its way. */
export interface RunningSale {
  eventId: string
  over: Promise<{
    /** When somebody heard of being let in, ms since the epoch. */
    admissions: number[]
    rows: Row[]
  }>
}

export interface Blow {
  what: string
  /** ms since the epoch. */
  at: number
  gapMaxS: number
  /** How long what was struck took. */
  took: Row[]
}

/** Strikes the sale as soon as it sells; resolves when the last blow is over. */
export async function strike(nodes: Nodes, eventId: string): Promise<Blow[]> {
  await untilFirstHold(nodes, eventId)
  await Bun.sleep(WARM_MS)
  const blows: Blow[] = []
  const inTurn = Array.from({ length: SERVERS }, (_, server) => [server, 'SIGTERM'] as const)
  for (const [server, signal] of [...inTurn, [0, 'SIGKILL'] as const]) {
    blows.push(await replace(nodes, server, signal))
    await Bun.sleep(BETWEEN_MS)
  }
  blows.push(await killMaster(nodes, eventId))
  return blows
}

async function replace(nodes: Nodes, server: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<Blow> {
  const what = `server ${server + 1} ${signal === 'SIGTERM' ? 'restarted' : 'killed'}`
  const at = Date.now()
  say(what)
  const { goneMs, readyMs, exitCode } = await nodes.replace(server, signal)
  const row = (which: string, ms: number): Row => ({
    what: `${what}: ${which}`,
    figures: [ms / 1_000],
    unit: 's',
    against: `≤ ${REPLACED_MAX_S} s`,
    ok: ms <= REPLACED_MAX_S * 1_000,
  })
  const gone = {
    ...row(`gone after ${signal}`, goneMs),
    note: exitCode === null ? '' : `with code ${exitCode}`,
  }
  const took = [gone, row('the next one ready', readyMs)]
  return { what, at, gapMaxS: GAPS_MAX_S[signal], took }
}

async function killMaster({ cluster }: Nodes, eventId: string): Promise<Blow> {
  const what = 'master with the event killed'
  const key = roomKey(eventId, 'meta')
  const master = await cluster.masterOf(key)
  const at = Date.now()
  say(what)
  process.kill(master.pid, 'SIGKILL')
  const deadline = at + GAPS_MAX_S.failover * 1_000
  let heir = master
  while (heir === master && Date.now() < deadline) {
    await Bun.sleep(POLL_MS)
    heir = await cluster.masterOf(key).catch(() => master)
  }
  const failover: Row = {
    what: `${what}: its replica has taken over`,
    figures: [(Date.now() - at) / 1_000],
    unit: 's',
    against: `≤ ${GAPS_MAX_S.failover} s`,
    ok: heir !== master,
  }
  return { what, at, gapMaxS: GAPS_MAX_S.failover, took: [failover] }
}

export const say = (sentence: string) => console.error(`bench nodes: ${sentence}`)

async function untilFirstHold(nodes: Nodes, eventId: string): Promise<void> {
  const deadline = Date.now() + FIRST_HOLD_WITHIN_MS
  while ((await holdTimes(nodes, eventId)).length === 0) {
    if (Date.now() > deadline) throw new Error(`nobody held a seat within ${FIRST_HOLD_WITHIN_MS / 1_000} s`)
    await Bun.sleep(POLL_MS)
  }
}

/** What each blow took, the gaps it left in the sale, and what held the line back meanwhile. */
export async function blowRows(nodes: Nodes, eventId: string, blows: Blow[], admissions: number[]) {
  const holds = await holdTimes(nodes, eventId)
  const rows: Row[] = []
  for (const [i, blow] of blows.entries()) {
    const until = Math.min(blow.at + FELT_MS, blows[i + 1]?.at ?? Infinity)
    const gap = gapRow(`${blow.what}: longest gap between admissions`, admissions, blow, until)
    const limits = await listLimits(nodes, eventId, blow.at, until)
    rows.push(...blow.took, { ...gap, note: [gap.note, ...limits].join('; ') })
    rows.push(gapRow(`${blow.what}: longest gap between holds`, holds, blow, until))
  }
  return rows
}

/** What the line wrote down of itself beside whom it called, in words. */
async function listLimits({ ledger }: Nodes, eventId: string, from: number, until: number) {
  const steps = await ledger.sql<{ at: Date; kind: string; detail: unknown }[]>`
    select at, kind, detail from room_steps
    where event_id = ${eventId} and kind <> 'called'
      and at between ${new Date(from).toISOString()} and ${new Date(until).toISOString()}
    order by epoch, seq limit ${LIMITS_TOLD}`
  return steps.map(({ at, kind, detail }) => {
    const afterSeconds = ((new Date(at).getTime() - from) / 1_000).toFixed(1)
    return `${kind} ${JSON.stringify(detail ?? {})} at ${afterSeconds} s`
  })
}

/** When holds were made, ms; by the one clock of the ledger. */
async function holdTimes({ ledger }: Nodes, eventId: string): Promise<number[]> {
  const rows = await ledger.sql<{ at: Date }[]>`
    select created_at as at from bookings where event_id = ${eventId} order by created_at`
  return rows.map(({ at }) => new Date(at).getTime())
}

/** Of the gaps that a blow may be felt in. Without any, it fell outside the sale. */
function gapRow(what: string, moments: number[], { at, gapMaxS }: Blow, until: number): Row {
  const sorted = moments.toSorted((a, b) => a - b)
  const gaps = sorted.slice(1).map((to, i) => ({ from: sorted[i]!, to }))
  const felt = gaps.filter(({ from, to }) => to > at && from < until - BEGINS_MS)
  const longest = Math.max(0, ...felt.map(({ from, to }) => (to - from) / 1_000))
  const after = sorted.filter((moment) => moment > at).length
  return {
    what,
    figures: [longest],
    unit: 's',
    against: `≤ ${gapMaxS} s`,
    ok: felt.length > 0 && longest <= gapMaxS,
    note: `${sorted.length - after} before it, ${after} after`,
  }
}
