// Owns a sale with a waiting room for a journey: its phase, the strangers in it, and buyers with a browser of their own.
import type { BrowserContext, BrowserContextOptions } from 'playwright'
import type { BookingView, EntrantView, EventView } from '../../server/protocol/http.ts'
import type { Journey } from './journey.ts'
import { callApi } from './journey-sale.ts'
import { eventually } from './socket-client.ts'

export interface RoomWishes {
  /** Minutes from now; null = on sale already. */
  onSale?: number | null
  lobby?: number | null
  name?: string
  sections?: object[]
  /** Of the event, beside its name and times. */
  event?: object
  /** Of the room; null = the event has none. */
  settings?: object | null
  /** False leaves it a draft. */
  published?: boolean
}

/** A sale with a room, whether or not anybody has a browser. */
export interface SaleRoom {
  eventId: string
  /** As its organiser. */
  manage<T>(method: string, path: string, body?: unknown): Promise<T>
  /** Puts other settings in force. */
  set(settings: object): Promise<unknown>
  /** Strangers who are in the line; each with a way to speak for itself. */
  strangers(count: number): Promise<RoomVisitor[]>
  /** Where no pass is asked for. */
  hold(token: string, seats: number[]): Promise<BookingView>
  booking(token: string, id: string): Promise<BookingView>
}

export interface JourneyRoom extends SaleRoom {
  /** A buyer, and a browser that knows it at `url`. */
  buyer(url: string, options?: BrowserContextOptions): Promise<RoomBuyer>
}

export interface RoomVisitor {
  token: string
  join(): Promise<EntrantView>
  claim(): Promise<EntrantView>
  leave(): Promise<EntrantView>
  me(): Promise<EntrantView>
}
export interface RoomBuyer extends RoomVisitor {
  context: BrowserContext
}

const MINUTE_MS = 60_000
/** As long as any step of a person may take on a machine that is busy with other tests. */
const CALLED_WITHIN_MS = 20_000
const ROOM = {
  enabled: true,
  activeMax: 1,
  admitPerMinute: null,
  doorSeconds: 600,
  passSeconds: 600,
  graceSeconds: 300,
  challenge: 'off',
}
const HALL = [{ name: 'Stalls', tier: { name: 'Standard', price: 2_500 }, rows: 4, seatsPerRow: 10 }]

export const inMinutes = (minutes: number) => new Date(Date.now() + minutes * MINUTE_MS).toISOString()

type DemoRole = 'ADMIN' | 'ORGANIZER' | 'USER'
/** Signing in is rationed, and one token is good for the whole file. */
const demoTokens = new Map<string, Promise<string>>()

/** The token of one of the demo's accounts. */
export function demoToken(journey: Pick<Journey, 'run'>, role: DemoRole): Promise<string> {
  const { url, demo } = journey.run()
  const found = demoTokens.get(url + role)
  if (found) return found
  const { email, password } = demo!.accounts.find((account) => account.role === role)!
  const body = { email, password }
  const made = callApi<{ accessToken: string }>(url, 'POST', '/auth/login', { body })
  const token = made.then(({ accessToken }) => accessToken)
  demoTokens.set(url + role, token)
  return token
}

/** Nobody waits in it yet; one person at a time is let in. */
export async function openJourneyRoom(journey: Journey, wishes: RoomWishes = {}): Promise<JourneyRoom> {
  const room = await openSaleRoom(journey, wishes)
  return {
    ...room,
    buyer: async (address, options) => {
      const visitor = await visit(journey.run().url, room.eventId)
      return { ...visitor, context: await signedIn(journey, visitor.token, address, options) }
    },
  }
}

export async function openSaleRoom(
  journey: Pick<Journey, 'run'>,
  wishes: RoomWishes = {},
): Promise<SaleRoom> {
  const { url } = journey.run()
  const {
    onSale = null,
    lobby = null,
    name = 'A quiet evening',
    sections = HALL,
    settings,
    published = true,
  } = wishes
  const token = await demoToken(journey, 'ORGANIZER')
  const { id: eventId } = await callApi<EventView>(url, 'POST', '/event', {
    token,
    body: {
      name,
      location: 'Old hall',
      startsAt: inMinutes(20_000),
      timeZone: 'Asia/Jakarta',
      currency: 'EUR',
      ...(onSale === null ? {} : { onSaleAt: inMinutes(onSale) }),
      ...wishes.event,
    },
  })
  const manage = <T>(method: string, path: string, body?: unknown) =>
    callApi<T>(url, method, `/event/${eventId}${path}`, { token, ...(body === undefined ? {} : { body }) })
  if (sections.length > 0) await manage('POST', '/seats', { sections })
  const lobbyAt = lobby === null ? null : inMinutes(lobby)
  const set = (changed: object) => manage('PUT', '/room', { ...ROOM, lobbyAt, ...settings, ...changed })
  if (settings !== null) await set({})
  if (published) await manage('POST', '/publish')
  return {
    eventId,
    manage,
    set,
    hold: (buyer, seats) =>
      callApi(url, 'POST', '/booking', {
        token: buyer,
        body: { seatIds: seats.map((n) => `${eventId}:${n}`) },
      }),
    booking: (buyer, id) => callApi(url, 'GET', `/booking/${id}`, { token: buyer }),
    strangers: async (count) => {
      const all = await Promise.all(Array.from({ length: count }, () => visit(url, eventId)))
      for (const one of all) await one.join()
      return all
    },
  }
}

/** The first stranger, once it is inside and the only place with it. */
export async function fillInside(room: SaleRoom): Promise<RoomVisitor> {
  const [first] = await room.strangers(1)
  const called = async () => (await first!.me()).state === 'called'
  await eventually('the first is called', called, CALLED_WITHIN_MS)
  await first!.claim()
  return first!
}

/** A browser that is somebody's at this address. */
export async function signedIn(
  journey: Journey,
  token: string,
  url: string,
  options?: BrowserContextOptions,
): Promise<BrowserContext> {
  const context = await journey.openDevice(options)
  await context.addCookies([{ name: 'accessToken', value: token, url }])
  // The cookie is out of reach for scripts; the window remembers only that there should be one. An empty page has no storage.
  await context.addInitScript(() => {
    if (self.origin !== 'null') localStorage.setItem('onsale:signed-in', '1')
  })
  return context
}

/** A new account that may buy. */
export async function visitorOf(url: string): Promise<{ token: string; email: string }> {
  const body = { count: 1 }
  const [buyer] = await callApi<{ accessToken: string; email: string }[]>(url, 'POST', '/dev/buyers', {
    body,
  })
  return { token: buyer!.accessToken, email: buyer!.email }
}

async function visit(url: string, eventId: string): Promise<RoomVisitor> {
  const { token } = await visitorOf(url)
  const move = (method: string, path: string) =>
    callApi<EntrantView>(url, method, `/event/${eventId}/room/${path}`, { token })
  return {
    token,
    join: () => move('POST', 'join'),
    claim: () => move('POST', 'claim'),
    leave: () => move('POST', 'leave'),
    me: () => move('GET', 'me'),
  }
}
