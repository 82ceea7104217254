// Owns what a scenario stands on: an event of its own, its seats, its room and its buyers, made anew for every run.
import exec from 'k6/execution'
import type { DevBuyerView, RoomBody } from '../../server/protocol/http.ts'
import { prepare } from './api.ts'
import { beginTallies } from './tally.ts'

const DAY_MS = 86_400_000
const BUYERS_A_REQUEST = 1_000
const SEATS_A_ROW = 50
const PRICE = 5_000
/** As the window's own default, with waits that a load test can sit through. */
const ROOM = { enabled: true, activeMax: 100, doorSeconds: 15, passSeconds: 300, graceSeconds: 30 }

export interface Sale {
  eventId: string
  seats: number
  /** An access token each, good for two hours. */
  tokens: string[]
}

export interface SalePlan {
  name: string
  /** Rounded up to whole rows. */
  seats: number
  buyers: number
  /** None: the sale is open to all. */
  room?: Partial<RoomBody>
  /** ISO; none: on sale at once. */
  onSaleAt?: string
  holdSeconds?: number
}

/** In `setup`; ends the run with the server's own words when it refuses. */
export function openSale({ name, seats, buyers, room, onSaleAt, holdSeconds = 900 }: SalePlan): Sale {
  beginTallies()
  const { EMAIL: email = 'organizer@onsale.test', PASSWORD: password } = __ENV
  if (!password) exec.test.abort('Say PASSWORD, the demo organiser’s, or run `npm run surge`, which knows it')
  const { accessToken: token } = prepare<{ accessToken: string }>({
    method: 'POST',
    path: '/auth/login',
    body: { email, password },
  })
  const startsAt = new Date(Date.now() + 30 * DAY_MS).toISOString()
  const { id } = prepare<{ id: string }>({
    method: 'POST',
    path: '/event',
    token,
    body: {
      name: `Surge: ${name}`,
      location: 'Hall',
      startsAt,
      ...(onSaleAt === undefined ? {} : { onSaleAt }),
      currency: 'EUR',
      timeZone: 'UTC',
      holdSeconds,
      maxSeatsPerBooking: 6,
      maxSeatsPerBuyer: 10_000,
    },
  })
  const perRow = Math.min(seats, SEATS_A_ROW)
  const rows = Math.ceil(seats / perRow)
  const section = { name: 'Stalls', tier: { name: 'Standard', price: PRICE }, rows, seatsPerRow: perRow }
  prepare({ method: 'POST', path: `/event/${id}/seats`, token, body: { sections: [section] } })
  if (room) prepare({ method: 'PUT', path: `/event/${id}/room`, token, body: { ...ROOM, ...room } })
  prepare({ method: 'POST', path: `/event/${id}/publish`, token, body: {} })
  return { eventId: id, seats: rows * perRow, tokens: makeBuyers(buyers) }
}

function makeBuyers(buyers: number): string[] {
  const tokens: string[] = []
  while (tokens.length < buyers) {
    const count = Math.min(BUYERS_A_REQUEST, buyers - tokens.length)
    const made = prepare<DevBuyerView[]>({ method: 'POST', path: '/dev/buyers', body: { count } })
    for (const { accessToken } of made) tokens.push(accessToken)
  }
  return tokens
}

/** The users one VU plays, all at once, where each of `vus` VUs runs one iteration: user n belongs to iteration n modulo `vus`. */
export function mine(tokens: string[], vus: number): { token: string; index: number }[] {
  // Not the VU's own number: VUs of another scenario count as well.
  const own = exec.scenario.iterationInTest % vus
  return tokens.flatMap((token, index) => (index % vus === own ? [{ token, index }] : []))
}
