// Owns the sale of `bench cache`: a thousand buyers who ask for the best or for seats of their own, and some who pay.
import { loadHttp, requestBytes } from './http-load.ts'
import type { LedgerStack } from './ledger-stack.ts'

const API = '/api/v1'
const SERVER_FAULT = 500
const UNAVAILABLE = 503
/** Codes by which a server may say that it cannot for the moment. */
const STATED = new Set(['store_unavailable', 'overloaded'])
const PAIR = 2
/** One in so many holds is paid for, one in so many asks for a pair of its own choice. */
const PAYS_EVERY = 8
const PICKS_EVERY = 3

export interface Through {
  holds: number
  paid: number
  /** Seats that two buyers were told to have. */
  twice: number
  unavailable: number
  /** Faults of the server that it does not state, in words. */
  unmeant: string
}

interface Plan {
  eventId: string
  seats: number
  buyers: number
  seconds: number
}

interface Answer {
  code?: string
  data?: { id: string; status: string; seats: { n: number }[] }
}

/** Begins the sale; `over` resolves when its time is. */
export function sellThrough(stack: LedgerStack, { eventId, seats, buyers, seconds }: Plan) {
  const sold: Through = { holds: 0, paid: 0, twice: 0, unavailable: 0, unmeant: '' }
  const told = new Set<number>()
  const owners = new Map<number, string>()
  const toPay: { id: string; token: string }[] = []
  let asked = 0

  function next(): Uint8Array {
    const due = toPay.pop()
    if (due) {
      const path = `${API}/payment/${due.id}/confirm`
      return requestBytes('POST', path, { token: due.token, body: { method: 'sandbox_ok' } })
    }
    const { token } = stack.buyers[asked % stack.buyers.length]!
    asked += 1
    if (asked % PICKS_EVERY > 0)
      return requestBytes('POST', `${API}/booking/best`, { token, body: { eventId, quantity: PAIR } })
    const n = Math.floor(Math.random() * (seats - 1))
    // Whoever picks is known by the first seat, so that the right one pays.
    owners.set(n, token)
    const body = { seatIds: [`${eventId}:${n}`, `${eventId}:${n + 1}`] }
    return requestBytes('POST', `${API}/booking`, { token, body })
  }

  function answered(status: number, text: string): void {
    if (status === UNAVAILABLE) sold.unavailable += 1
    const { code, data } = JSON.parse(text) as Answer
    if (status >= SERVER_FAULT && !STATED.has(code ?? '')) sold.unmeant = `${status} ${code}`
    if (data?.status === 'CONFIRMED') sold.paid += 1
    if (status !== 201 || !data) return
    sold.holds += 1
    for (const { n } of data.seats) {
      if (told.has(n)) sold.twice += 1
      told.add(n)
    }
    const token = owners.get(data.seats[0]!.n)
    if (token && sold.holds % PAYS_EVERY === 0) toPay.push({ id: data.id, token })
  }

  const over = loadHttp({ port: stack.port, connections: buyers, seconds, next, answered }).then(
    ({ dropped }) => (dropped > 0 ? { ...sold, unmeant: `${dropped} × no answer` } : sold),
  )
  return { over, holds: () => sold.holds }
}
