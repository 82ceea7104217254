// Owns what a journey of a buyer needs beside the demo: an event without a line, seats held, a page that is signed in.
import type { BrowserContextOptions, Page } from 'playwright'
import type { BookingView, EventView } from '../../server/protocol/http.ts'
import type { Journey } from './journey.ts'

export interface JourneySale {
  eventId: string
  /** A new buyer with seats held, and a page that knows who it is. */
  holding(seats: number[], options?: BrowserContextOptions): Promise<HoldingBuyer>
}

export interface HoldingBuyer {
  page: Page
  booking: Pick<BookingView, 'id' | 'expiresAt'>
  token: string
}

const DAY_MS = 86_400_000

/** @param holdSeconds how long its holds last */
export async function startJourneySale(journey: Journey, holdSeconds: number): Promise<JourneySale> {
  const { url, demo } = journey.run()
  const organizer = demo!.accounts.find(({ role }) => role === 'ORGANIZER')!
  const { accessToken: token } = await callApi<{ accessToken: string }>(url, 'POST', '/auth/login', {
    body: { email: organizer.email, password: organizer.password },
  })
  const { id: eventId } = await callApi<EventView>(url, 'POST', '/event', {
    token,
    body: {
      name: 'Night of strings',
      location: 'Old hall',
      startsAt: new Date(Date.now() + 30 * DAY_MS).toISOString(),
      timeZone: 'Asia/Jakarta',
      currency: 'EUR',
      holdSeconds,
    },
  })
  const sections = [{ name: 'Stalls', tier: { name: 'Standard', price: 2_500 }, rows: 4, seatsPerRow: 10 }]
  await callApi(url, 'POST', `/event/${eventId}/seats`, { token, body: { sections } })
  await callApi(url, 'POST', `/event/${eventId}/publish`, { token })
  return { eventId, holding: (seats, options) => hold(journey, { eventId, seats }, options) }
}

async function hold(
  journey: Journey,
  { eventId, seats }: { eventId: string; seats: number[] },
  options: BrowserContextOptions = {},
): Promise<HoldingBuyer> {
  const { url } = journey.run()
  const [buyer] = await callApi<{ accessToken: string }[]>(url, 'POST', '/dev/buyers', { body: { count: 1 } })
  const token = buyer!.accessToken
  const seatIds = seats.map((n) => `${eventId}:${n}`)
  const booking = await callApi<BookingView>(url, 'POST', '/booking', { token, body: { seatIds } })
  const page = await journey.openPage(options)
  await page.context().addCookies([{ name: 'accessToken', value: token, url }])
  // The cookie is out of reach for scripts; the window remembers only that there should be one.
  await page.addInitScript(() => localStorage.setItem('onsale:signed-in', '1'))
  return { page, booking, token }
}

/** Asks the API; throws for every refusal. */
export async function callApi<T>(
  url: string,
  method: string,
  path: string,
  { token, body, headers = {} }: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<T> {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: {
      ...headers,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const told = (await answer.json()) as { data: T; message: string }
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${told.message}`)
  return told.data
}
