// Question:   after half an hour of everything at once, does each process hold the memory and the descriptors it began with?
// Shape:      30 min: 3 visits a second on a large hall, every 2 s a person through a room, 100 watching sockets that come and go.
// Thresholds: no unexpected answer; 95 % of holds within 500 ms; `surge`: memory after warm-up grows by 5 % at most, descriptors return but for a pool's.
import exec from 'k6/execution'
import { Entrant, pause } from '../lib/entrant.ts'
import { undisturbed } from '../lib/faults.ts'
import { giveBack, holdBest } from '../lib/purchase.ts'
import { openSale, type Sale } from '../lib/sale.ts'
import { size, within } from '../lib/size.ts'
import { tally } from '../lib/tally.ts'
import { visit } from '../lib/visit.ts'
export { handleSummary } from '../lib/summary.ts'

const MINUTES = size('MINUTES', 30)
const RATE = size('RATE', 3)
const WATCHERS = size('WATCHERS', 100)
const BUYERS = 2_000
const SEATS = 20_000
const GIVE_UP_MS = 60_000
const WATCH_MS = 60_000
/** Short enough that what nobody paid for expires while we look. */
const HOLD_SECONDS = 120
/** A visit takes a second or two; a machine busy with something else takes longer. */
const VUS_A_VISIT = 20
const duration = `${MINUTES}m`

const gaveUp = tally('gave_up')
const throughTheRoom = tally('through_the_room')
const watched = tally('watched')

export const options = {
  setupTimeout: '2m',
  scenarios: {
    visits: {
      executor: 'constant-arrival-rate',
      rate: RATE,
      duration,
      preAllocatedVUs: VUS_A_VISIT * RATE,
      exec: 'visits',
    },
    line: {
      executor: 'constant-arrival-rate',
      rate: 1,
      timeUnit: '2s',
      duration,
      preAllocatedVUs: 10,
      exec: 'line',
    },
    watchers: { executor: 'constant-vus', vus: WATCHERS, duration, gracefulStop: '2m', exec: 'watchers' },
  },
  thresholds: {
    unexpected_answers: ['count==0'],
    ...undisturbed,
    dropped_iterations: ['count==0'],
    gave_up: ['count==0'],
    line_faults: ['count==0'],
    sockets_cut_off: ['count==0'],
    visits_served: [`count>=${RATE * MINUTES * 60}`],
    through_the_room: [`count>=${MINUTES * 30}`],
    'http_req_duration{name:hold}': [within(500)],
    'http_req_duration{name:best}': [within(500)],
  },
}

interface Both {
  hall: Sale
  room: Sale
}

export function setup(): Both {
  const hall = openSale({ name: 'soak, hall', seats: SEATS, buyers: BUYERS, holdSeconds: HOLD_SECONDS })
  const room = openSale({
    name: 'soak, room',
    seats: 500,
    buyers: BUYERS,
    holdSeconds: HOLD_SECONDS,
    room: { activeMax: 20, doorSeconds: 15, passSeconds: 60, graceSeconds: 20 },
  })
  return { hall, room }
}

const next = ({ eventId, tokens }: Sale) => ({
  eventId,
  token: tokens[exec.scenario.iterationInTest % tokens.length]!,
})

export const visits = ({ hall }: Both): Promise<void> => visit(next(hall))

export async function line({ room }: Both): Promise<void> {
  const { eventId, token } = next(room)
  const entrant = new Entrant(eventId, token)
  if (await entrant.until(() => entrant.pass !== undefined, GIVE_UP_MS)) {
    const shopper = { eventId, token, pass: entrant.pass }
    const booking = await holdBest(shopper, 2)
    if (booking && (await giveBack(shopper, booking)).ok) throughTheRoom.add(1)
  } else gaveUp.add(1)
  entrant.leave()
  await entrant.until(() => entrant.ended, 1_000)
  entrant.close()
}

export async function watchers({ hall }: Both): Promise<void> {
  const looking = new Entrant(hall.eventId, undefined, false)
  if (await looking.until(() => looking.isOpen, GIVE_UP_MS)) {
    looking.send({ type: 'watch' })
    await pause(WATCH_MS * (0.5 + Math.random()))
    if ((looking.heard.seats ?? 0) > 0) watched.add(1)
  }
  looking.close()
}
