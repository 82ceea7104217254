// Question:   when every connection is lost in the same moment, does everyone come back to the same place?
// Shape:      1,500 people wait in a lobby; three times all their sockets are cut at once and come back within 3 s.
// Thresholds: everyone back each time, under the same number; 95 % of them placed within 2 s of coming; no fault of the line.
import { Trend } from 'k6/metrics'
import { Entrant, pause } from '../lib/entrant.ts'
import { undisturbed } from '../lib/faults.ts'
import { mine, openSale, type Sale } from '../lib/sale.ts'
import { size, within } from '../lib/size.ts'
import { tally } from '../lib/tally.ts'
export { handleSummary } from '../lib/summary.ts'

const SOCKETS = size('SOCKETS', 1_500)
const STORMS = size('STORMS', 3)
const VUS = 40
const ARRIVE_WITHIN_MS = 10_000
const JOIN_MS = 30_000
/** As the server asks of clients (`comeBackMs`), for so many. */
const COME_BACK_WITHIN_MS = 3_000
const CALM_MS = 4_000
const LATER_MS = 86_400_000

const cameBack = tally('came_back')
const samePlace = tally('same_place')
const backMs = new Trend('back_ms', true)

export const options = {
  setupTimeout: '2m',
  scenarios: {
    storm: { executor: 'per-vu-iterations', vus: VUS, iterations: 1, maxDuration: '6m' },
  },
  thresholds: {
    unexpected_answers: ['count==0'],
    ...undisturbed,
    placed: [`count==${SOCKETS}`],
    came_back: [`count==${SOCKETS * STORMS}`],
    same_place: [`count==${SOCKETS * STORMS}`],
    line_faults: ['count==0'],
    refused_frames: ['count==0'],
    back_ms: [within(2000)],
  },
}

export function setup(): Sale & { stormsAt: number } {
  const lobbyAt = new Date().toISOString()
  const onSaleAt = new Date(Date.now() + LATER_MS).toISOString()
  const room = { lobbyAt, graceSeconds: 60 }
  const sale = openSale({ name: 'reconnect storm', seats: 1_000, buyers: SOCKETS, room, onSaleAt })
  return { ...sale, stormsAt: Date.now() + ARRIVE_WITHIN_MS + CALM_MS }
}

export default async function everybody(sale: Sale & { stormsAt: number }): Promise<void> {
  await Promise.all(mine(sale.tokens, VUS).map(({ token, index }) => somebody(sale, token, index)))
}

async function somebody(
  { eventId, tokens, stormsAt }: Sale & { stormsAt: number },
  token: string,
  i: number,
) {
  await pause((i / tokens.length) * ARRIVE_WITHIN_MS)
  const entrant = new Entrant(eventId, token)
  await entrant.until(() => entrant.joined !== undefined, JOIN_MS)
  const number = entrant.joined?.number
  for (let storm = 0; storm < STORMS; storm += 1) {
    await pause(stormsAt + storm * (COME_BACK_WITHIN_MS + CALM_MS) - Date.now())
    const heard = entrant.heard.joined ?? 0
    const backAt = Date.now() + Math.random() * COME_BACK_WITHIN_MS
    entrant.cut(backAt - Date.now())
    if (!(await entrant.until(() => (entrant.heard.joined ?? 0) > heard, JOIN_MS))) continue
    cameBack.add(1)
    backMs.add(Math.max(0, Date.now() - backAt))
    if (entrant.joined?.number === number) samePlace.add(1)
  }
  entrant.close()
}
