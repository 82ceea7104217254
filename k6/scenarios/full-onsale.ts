// Question:   does a whole sale run from the door to the last ticket: join, wait, claim, best seats, pay?
// Shape:      2,000 buyers come within 10 s for 1,000 seats, 100 at the seats at once; each looks up to 10 s, wants 1 to 3, and pays.
// Thresholds: sold out to the last seat; 95 % of the reservations within 150 ms; no unexpected answer; nobody overtaken.
import { Entrant, pause } from '../lib/entrant.ts'
import { undisturbed } from '../lib/faults.ts'
import { holdBest, pay } from '../lib/purchase.ts'
import { mine, openSale, type Sale } from '../lib/sale.ts'
import { size, within } from '../lib/size.ts'
import { tally } from '../lib/tally.ts'
export { handleSummary } from '../lib/summary.ts'

const BUYERS = size('BUYERS', 2_000)
const SEATS = size('SEATS', 1_000)
const ACTIVE_MAX = size('ACTIVE_MAX', 100)
const GIVE_UP_MS = size('GIVE_UP_SECONDS', 240) * 1_000
const VUS = 40
const ARRIVE_WITHIN_MS = 10_000
const PARTY_MAX = 3
/** Before pressing, and half of it before paying; anything up to this. Still quicker than people are. */
const LOOK_MS = size('LOOK_MS', 10_000)
/** After the last seat went, so that one given back would still find its buyer. */
const SOLD_OUT_STAY_MS = 3_000

const soldOutFor = tally('went_home_sold_out')
const gaveUp = tally('gave_up')
/** Ended by the house although seats were left. */
const lostPlaces = tally('lost_places')

export const options = {
  setupTimeout: '2m',
  scenarios: {
    onsale: { executor: 'per-vu-iterations', vus: VUS, iterations: 1, maxDuration: '10m' },
  },
  thresholds: {
    unexpected_answers: ['count==0'],
    ...undisturbed,
    placed: [`count==${BUYERS}`],
    line_faults: ['count==0'],
    gave_up: ['count==0'],
    lost_places: ['count==0'],
    seats_bought: [`count==${SEATS}`],
    'http_req_duration{name:best}': [within(150)],
    'http_req_duration{name:pay}': [within(500)],
  },
}

export const setup = () =>
  openSale({ name: 'full on-sale', seats: SEATS, buyers: BUYERS, room: { activeMax: ACTIVE_MAX } })

export default async function buyers(sale: Sale): Promise<void> {
  await Promise.all(mine(sale.tokens, VUS).map(({ token, index }) => buyer(sale, token, index)))
}

async function buyer({ eventId, tokens }: Sale, token: string, index: number): Promise<void> {
  await pause((index / tokens.length) * ARRIVE_WITHIN_MS)
  const entrant = new Entrant(eventId, token)
  const over = () => entrant.phase === 'sold_out' || entrant.ended
  const came = await entrant.until(() => entrant.pass !== undefined || over(), GIVE_UP_MS)
  if (!came) gaveUp.add(1)
  if (came && over()) await entrant.until(() => entrant.pass !== undefined, SOLD_OUT_STAY_MS)
  if (entrant.pass !== undefined) await shop({ eventId, token, pass: entrant.pass }, 1 + (index % PARTY_MAX))
  else if (came) (entrant.ended && entrant.phase !== 'sold_out' ? lostPlaces : soldOutFor).add(1)
  entrant.leave()
  // A frame just written must not be overtaken by the end of its socket.
  await pause(50)
  entrant.close()
}

/** Takes fewer where so many are not left together. */
async function shop(shopper: { eventId: string; token: string; pass: string }, wish: number): Promise<void> {
  await pause(LOOK_MS * Math.random())
  for (let quantity = wish; quantity > 0; quantity -= 1) {
    const booking = await holdBest(shopper, quantity)
    if (!booking) continue
    await pause((LOOK_MS / 2) * Math.random())
    await pay(shopper, booking)
    return
  }
  soldOutFor.add(1)
}
