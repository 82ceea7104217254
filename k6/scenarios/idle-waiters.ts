// Question:   how many people can one machine hold in the lobby while others look at the event as on any other day?
// Shape:      3,000 sockets join a lobby that opens nobody, and are held for 60 s; beside them 10 page views a second.
// Thresholds: a place each; no socket cut off; each hears how the line stands; 95 % of the page views within 250 ms.
import exec from 'k6/execution'
import { ask } from '../lib/api.ts'
import { Entrant, pause } from '../lib/entrant.ts'
import { undisturbed } from '../lib/faults.ts'
import { mine, openSale, type Sale } from '../lib/sale.ts'
import { size, within } from '../lib/size.ts'
import { tally } from '../lib/tally.ts'
export { handleSummary } from '../lib/summary.ts'

const SOCKETS = size('SOCKETS', 3_000)
const HOLD_SECONDS = size('HOLD_SECONDS', 60)
const VUS = 40
const ARRIVE_WITHIN_SECONDS = 20
const JOIN_MS = 30_000
const LATER_MS = 86_400_000

const keptWaiting = tally('kept_waiting')

export const options = {
  setupTimeout: '2m',
  scenarios: {
    waiters: {
      executor: 'per-vu-iterations',
      vus: VUS,
      iterations: 1,
      maxDuration: `${HOLD_SECONDS + 120}s`,
      exec: 'waiters',
    },
    visitors: {
      executor: 'constant-arrival-rate',
      rate: 10,
      duration: `${HOLD_SECONDS}s`,
      startTime: `${ARRIVE_WITHIN_SECONDS}s`,
      preAllocatedVUs: 10,
      exec: 'visitors',
    },
  },
  thresholds: {
    unexpected_answers: ['count==0'],
    ...undisturbed,
    placed: [`count==${SOCKETS}`],
    kept_waiting: [`count==${SOCKETS}`],
    sockets_cut_off: ['count==0'],
    line_faults: ['count==0'],
    dropped_iterations: ['count==0'],
    'http_req_duration{name:event}': [within(250)],
    'http_req_duration{name:room}': [within(250)],
  },
}

export function setup(): Sale {
  const now = Date.now()
  const lobbyAt = new Date(now).toISOString()
  const onSaleAt = new Date(now + LATER_MS).toISOString()
  return openSale({ name: 'idle waiters', seats: 1_000, buyers: SOCKETS, room: { lobbyAt }, onSaleAt })
}

export async function waiters(sale: Sale): Promise<void> {
  await Promise.all(mine(sale.tokens, VUS).map(({ token, index }) => wait(sale, token, index)))
}

async function wait({ eventId, tokens }: Sale, token: string, index: number): Promise<void> {
  await pause((index / tokens.length) * ARRIVE_WITHIN_SECONDS * 1_000)
  const entrant = new Entrant(eventId, token)
  if (await entrant.until(() => entrant.joined !== undefined, JOIN_MS)) {
    await pause(HOLD_SECONDS * 1_000)
    if (entrant.isOpen && (entrant.heard.line ?? 0) > 0) keptWaiting.add(1)
  }
  entrant.close()
}

export async function visitors({ eventId, tokens }: Sale): Promise<void> {
  const token = tokens[exec.scenario.iterationInTest % tokens.length]
  await ask({ method: 'GET', path: `/event/${eventId}`, name: 'event', token })
  await ask({ method: 'GET', path: `/event/${eventId}/room`, name: 'room', token })
}
