// Question:   when far more buyers than seats grab at once, is every answer a clear yes or no, and is no seat sold twice?
// Shape:      2,000 attempts by 500 accounts on 200 seats of a new event, 100 at a time, as fast as they are answered.
// Thresholds: no other answer than 201 and 409; exactly as many holds as seats; 95 % of the answers within 2 s.
// Run:        k6 run -e PASSWORD=… k6/scenarios/conflict.ts   against a running `up`; PASSWORD is the demo organiser's.
import { check } from 'k6'
import exec from 'k6/execution'
import http from 'k6/http'
import { Counter } from 'k6/metrics'

const API = `${__ENV.URL ?? 'http://localhost:3000'}/api/v1`
const SEATS = 200
const BUYERS = 500
const ATTEMPTS = 2_000
const AT_ONCE = 100
const DAY_MS = 86_400_000

const held = new Counter('seats_held')
const unclear = new Counter('unclear_answers')

export const options = {
  scenarios: {
    conflict: { executor: 'shared-iterations', vus: AT_ONCE, iterations: ATTEMPTS, maxDuration: '2m' },
  },
  thresholds: {
    unclear_answers: ['count==0'],
    seats_held: [`count==${SEATS}`],
    'http_req_duration{name:book}': ['p(95)<2000'],
  },
}

interface Sale {
  eventId: string
  tokens: string[]
}

const json = (token?: string, name = 'prepare') => ({
  headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
  tags: { name },
})

function send(path: string, body: unknown, token?: string): Record<string, unknown> {
  const answer = http.post(`${API}${path}`, JSON.stringify(body), json(token))
  if (answer.status >= 300) exec.test.abort(`${path} answered ${answer.status}: ${answer.body}`)
  return answer.json('data') as Record<string, unknown>
}

export function setup(): Sale {
  // Unknown counters fail no threshold: both exist from the start.
  unclear.add(0)
  const login = { email: __ENV.EMAIL ?? 'organizer@onsale.test', password: __ENV.PASSWORD }
  const token = send('/auth/login', login).accessToken as string
  const startsAt = new Date(Date.now() + DAY_MS).toISOString()
  const event = { name: 'Conflict', location: 'Hall', startsAt, currency: 'EUR', timeZone: 'UTC' }
  const eventId = send('/event', event, token).id as string
  const tier = { name: 'Standard', price: 5_000 }
  send(
    `/event/${eventId}/seats`,
    { sections: [{ name: 'Stalls', tier, rows: 10, seatsPerRow: SEATS / 10 }] },
    token,
  )
  send(`/event/${eventId}/publish`, {}, token)
  const buyers = send('/dev/buyers', { count: BUYERS }) as unknown as { accessToken: string }[]
  return { eventId, tokens: buyers.map(({ accessToken }) => accessToken) }
}

export default function grab({ eventId, tokens }: Sale): void {
  const attempt = exec.scenario.iterationInTest
  const body = JSON.stringify({ seatId: `${eventId}:${attempt % SEATS}` })
  const answer = http.post(`${API}/booking`, body, json(tokens[attempt % BUYERS], 'book'))
  const clear = check(answer, { 'yes or no': ({ status }) => status === 201 || status === 409 })
  if (!clear) unclear.add(1)
  if (answer.status === 201) held.add(1)
}
