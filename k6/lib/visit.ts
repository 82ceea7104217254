// Owns an ordinary visit: the event's page, its map, what is free; seats held, then paid for, given back or left to expire.
import { ask } from './api.ts'
import { pause } from './entrant.ts'
import { chooseFree, giveBack, holdSeats, pay, type Shopper } from './purchase.ts'
import { tally } from './tally.ts'

export const served = tally('visits_served')

const TRIES = 3
const PARTY_MAX = 3
/** Of those who hold seats; the rest just closes the page. */
const PAY_SHARE = 0.7
const GIVE_BACK_SHARE = 0.2
const LOOK_MS = 300

/** Served: seats were held and every answer was one a person can live with. */
export async function visit(shopper: Shopper): Promise<void> {
  const { eventId, token } = shopper
  await ask({ method: 'GET', path: '/event', name: 'events', token })
  await ask({ method: 'GET', path: `/event/${eventId}`, name: 'event', token })
  await ask({ method: 'GET', path: `/event/${eventId}/map`, name: 'map', token })
  const quantity = 1 + Math.floor(Math.random() * PARTY_MAX)
  for (let tried = 0; tried < TRIES; tried += 1) {
    const seats = await chooseFree(shopper, quantity)
    await pause(LOOK_MS * Math.random())
    const booking = seats.length > 0 ? await holdSeats(shopper, seats) : null
    if (!booking) continue
    const fate = Math.random()
    const fine =
      fate < PAY_SHARE
        ? await pay(shopper, booking)
        : fate < PAY_SHARE + GIVE_BACK_SHARE
          ? (await giveBack(shopper, booking)).ok
          : true
    if (fine) served.add(1)
    return
  }
}
