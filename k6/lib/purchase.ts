// Owns how a user buys: what is free is looked at as a page does, seats are held, and paid for or given back.
import { b64decode } from 'k6/encoding'
import type { AvailabilityView, HeldView } from '../../server/protocol/http.ts'
import { ask, newKey } from './api.ts'
import { tally } from './tally.ts'

export const held = tally('seats_held')
export const bought = tally('seats_bought')
export const conflicts = tally('seat_conflicts')

/** Somebody else was quicker, or the house cannot serve this wish (any more). */
const TAKEN = 409
const NOT_LIKE_THIS = 422
const SEATS_A_BYTE = 4
const FREE = 0

export interface Shopper {
  eventId: string
  token: string
  pass?: string | undefined
}

/** Seats that are free now, at random; fewer than asked for when there are fewer. */
export async function chooseFree({ eventId, token }: Shopper, quantity: number): Promise<number[]> {
  const path = `/event/${eventId}/availability`
  const answer = await ask<AvailabilityView>({ method: 'GET', path, name: 'availability', token })
  if (!answer.ok) return []
  const codes = new Uint8Array(b64decode(answer.data.status))
  const { total } = answer.data
  const chosen: number[] = []
  const from = Math.floor(Math.random() * total)
  for (let step = 0; step < total && chosen.length < quantity; step += 1) {
    const n = (from + step) % total
    const code = (codes[Math.floor(n / SEATS_A_BYTE)]! >> (2 * (n % SEATS_A_BYTE))) & 3
    if (code === FREE) chosen.push(n)
  }
  return chosen
}

/** Null when somebody was quicker. */
export async function holdSeats(
  { eventId, token, pass }: Shopper,
  seats: number[],
): Promise<HeldView | null> {
  const body = { seatIds: seats.map((n) => `${eventId}:${n}`) }
  const key = newKey('hold')
  const answer = await ask<HeldView>({
    method: 'POST',
    path: '/booking',
    name: 'hold',
    token,
    pass,
    body,
    key,
    accept: [TAKEN],
  })
  return settle(answer)
}

/** Null when so many are not left together. */
export async function holdBest(
  { eventId, token, pass }: Shopper,
  quantity: number,
): Promise<HeldView | null> {
  const body = { eventId, quantity }
  const accept = [TAKEN, NOT_LIKE_THIS]
  const key = newKey('best')
  return settle(
    await ask<HeldView>({
      method: 'POST',
      path: '/booking/best',
      name: 'best',
      token,
      pass,
      body,
      key,
      accept,
    }),
  )
}

function settle(answer: { ok: boolean; status: number; data: HeldView }): HeldView | null {
  if (answer.ok) held.add(answer.data.seats.length)
  else if (answer.status === TAKEN) conflicts.add(1)
  return answer.ok ? answer.data : null
}

export async function pay({ token }: Shopper, { id, seats }: HeldView): Promise<boolean> {
  const path = `/payment/${id}/confirm`
  const body = { method: 'sandbox_ok' }
  const answer = await ask({ method: 'POST', path, name: 'pay', token, body, key: newKey('pay') })
  if (answer.ok) bought.add(seats.length)
  return answer.ok
}

export const giveBack = ({ token }: Shopper, { id }: HeldView) =>
  ask({ method: 'DELETE', path: `/booking/${id}`, name: 'give back', token })
