// Owns the sales that the screens are looked at on: one event in each state an event and its room can be in.
import type { BookingView } from '../../../server/protocol/http.ts'
import type { Journey } from '../journey.ts'
import {
  demoToken,
  fillInside,
  openJourneyRoom,
  visitorOf,
  type JourneyRoom,
  type RoomWishes,
  type RoomVisitor,
} from '../journey-room.ts'
import { callApi } from '../journey-sale.ts'
import { eventually } from '../socket-client.ts'

export interface Stage {
  admin: string
  organizer: string
  /** Has no events of its own. */
  newOrganizer: string
  events: Record<keyof typeof KINDS, JourneyRoom>
  /** The one inside the full line. */
  inside: RoomVisitor
  /** Another event of a kind that one look uses up. */
  another(kind: keyof typeof KINDS): Promise<JourneyRoom>
  /** Seats of the shop held by a new account; each time others. */
  held(kind?: 'shop' | 'hurry'): Promise<{ token: string; booking: BookingView }>
  /** As `held`, and paid. */
  paid(): Promise<{ token: string; booking: BookingView }>
  call<T>(method: string, path: string, token: string, body?: unknown): Promise<T>
}

const ONE_SEAT = [{ name: 'Box', tier: { name: 'Only', price: 9_000 }, rows: 1, seatsPerRow: 1 }]
const WIDE = [
  { name: 'Stalls', tier: { name: 'Premium', price: 8_900 }, rows: 8, seatsPerRow: 16, shape: 'arc' },
  { name: 'Floor', tier: { name: 'Standing', price: 4_900 }, capacity: 60 },
]
const AT_ONCE = { activeMax: 100 }
const KINDS = {
  scheduled: { onSale: 60, lobby: 30 },
  lobby: { onSale: 60, lobby: -1 },
  line: {},
  quick: { settings: AT_ONCE },
  paused: {},
  taken: { sections: ONE_SEAT, settings: AT_ONCE },
  closed: {},
  shop: { sections: WIDE, settings: null, event: { holdSeconds: 170 } },
  hurry: { settings: null, event: { holdSeconds: 5 } },
  full: { sections: ONE_SEAT, settings: null },
  soon: { onSale: 60, settings: null },
  draft: { published: false },
  bare: { published: false, sections: [] },
  cancelled: {},
} satisfies Record<string, RoomWishes>
const SEATS_A_ROW = 16

export async function setStage(journey: Journey): Promise<Stage> {
  const { url } = journey.run()
  const call = <T>(method: string, path: string, token: string, body?: unknown) =>
    callApi<T>(url, method, path, { token, ...(body === undefined ? {} : { body }) })
  const another = (kind: keyof typeof KINDS) =>
    openJourneyRoom(journey, { name: `An evening: ${kind}`, ...KINDS[kind] })
  const events = {} as Record<keyof typeof KINDS, JourneyRoom>
  for (const kind of Object.keys(KINDS) as (keyof typeof KINDS)[]) events[kind] = await another(kind)
  const admin = await demoToken(journey, 'ADMIN')
  const inside = await fillInside(events.line)
  await events.line.strangers(3)
  await fillInside(events.paused)
  await events.paused.strangers(2)
  await events.paused.manage('POST', '/room/pause')
  await events.paused.manage('POST', '/room/notice', { text: 'The doors open at nine.' })
  await events.closed.manage('POST', '/room/close')
  await events.cancelled.manage('POST', '/cancel')

  const taken = new Map<string, number>()
  const held = async (kind: 'shop' | 'hurry' = 'shop') => {
    const { token } = await visitorOf(url)
    const { eventId } = events[kind]
    const first = taken.get(kind) ?? 0
    taken.set(kind, first + 2)
    const seatIds = [first, first + 1].map((n) => `${eventId}:${n + (kind === 'shop' ? SEATS_A_ROW : 0)}`)
    return { token, booking: await call<BookingView>('POST', '/booking', token, { seatIds }) }
  }
  for (const kind of ['taken', 'full'] as const) {
    const { token } = kind === 'taken' ? await admitted(events.taken) : await visitorOf(url)
    const { pass } =
      kind === 'taken'
        ? await call<{ pass: string }>('GET', `/event/${events.taken.eventId}/room/me`, token)
        : { pass: '' }
    await callApi(url, 'POST', '/booking', {
      token,
      body: { seatIds: [`${events[kind].eventId}:0`] },
      ...(pass ? { headers: { 'x-admission-pass': pass } } : {}),
    })
  }
  return {
    admin,
    organizer: await demoToken(journey, 'ORGANIZER'),
    newOrganizer: await makeOrganizer(url, admin, call),
    events,
    inside,
    another,
    held,
    async paid() {
      const { token, booking } = await held()
      const paid = await call<BookingView>('POST', `/payment/${booking.id}/confirm`, token, {
        method: 'sandbox_ok',
      })
      return { token, booking: paid }
    },
    call,
  }
}

async function admitted(room: JourneyRoom): Promise<RoomVisitor> {
  const [one] = await room.strangers(1)
  await eventually('called', async () => (await one!.me()).state === 'called')
  await one!.claim()
  return one!
}

async function makeOrganizer(url: string, admin: string, call: Stage['call']): Promise<string> {
  const { token, email } = await visitorOf(url)
  const roles = await call<{ items: { id: string; name: string }[] }>('GET', '/auth/admin/roles', admin)
  const users = await call<{ items: { id: string }[] }>(
    'GET',
    `/auth/admin/users?query=${encodeURIComponent(email)}`,
    admin,
  )
  const roleIds = roles.items.filter(({ name }) => name === 'ORGANIZER').map(({ id }) => id)
  await call('PUT', `/auth/admin/users/${users.items[0]!.id}/roles`, admin, { roleIds })
  return token
}
