// Question:   when everyone comes at once, does everyone get a place at once, and is everyone let in, in that order?
// Shape:      2,000 people open a socket and join within 10 s; 200 may be inside; each leaves as soon as it is let in.
// Thresholds: a place each, 95 % within 1 s; every one of them let in, none before a lower place; no socket cut off.
import { Entrant, pause } from '../lib/entrant.ts'
import { undisturbed } from '../lib/faults.ts'
import { mine, openSale, type Sale } from '../lib/sale.ts'
import { size, within } from '../lib/size.ts'
import { tally } from '../lib/tally.ts'
export { handleSummary } from '../lib/summary.ts'

const BUYERS = size('BUYERS', 2_000)
const ACTIVE_MAX = size('ACTIVE_MAX', 200)
const GIVE_UP_MS = size('GIVE_UP_SECONDS', 90) * 1_000
const VUS = 40
const ARRIVE_WITHIN_MS = 10_000

const neverAdmitted = tally('never_admitted')

export const options = {
  setupTimeout: '2m',
  scenarios: {
    spike: { executor: 'per-vu-iterations', vus: VUS, iterations: 1, maxDuration: '5m' },
  },
  thresholds: {
    unexpected_answers: ['count==0'],
    ...undisturbed,
    placed: [`count==${BUYERS}`],
    admitted: [`count==${BUYERS}`],
    never_admitted: ['count==0'],
    line_faults: ['count==0'],
    sockets_cut_off: ['count==0'],
    join_ms: [within(1000)],
  },
}

export const setup = () =>
  openSale({ name: 'arrival spike', seats: 1_000, buyers: BUYERS, room: { activeMax: ACTIVE_MAX } })

export default async function crowd(sale: Sale): Promise<void> {
  await Promise.all(mine(sale.tokens, VUS).map(({ token, index }) => arrive(sale, token, index)))
}

async function arrive({ eventId, tokens }: Sale, token: string, index: number): Promise<void> {
  await pause((index / tokens.length) * ARRIVE_WITHIN_MS)
  const entrant = new Entrant(eventId, token)
  if (!(await entrant.until(() => entrant.pass !== undefined, GIVE_UP_MS))) neverAdmitted.add(1)
  entrant.leave()
  await entrant.until(() => entrant.ended, 1_000)
  entrant.close()
}
