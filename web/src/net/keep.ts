// Owns what the window remembers in the browser: every key, and the patience for a browser that forbids it.
import type { TicketView, UserView } from '../../../server/protocol/http.ts'
import { SANDBOX_METHODS, type SandboxMethod } from '../../../server/protocol/codes.ts'

export interface AdmissionPass {
  pass: string
  expiresAt: string
}

const read = (store: () => Storage, key: string): string | null => {
  try {
    return store().getItem(key)
  } catch {
    return null
  }
}

/** A private window or a full disk may refuse to keep things; the session then simply lives in memory. */
const write = (store: () => Storage, key: string, value: string | null): void => {
  try {
    if (value === null) store().removeItem(key)
    else store().setItem(key, value)
  } catch {
    return
  }
}

const tab = () => sessionStorage
const device = () => localStorage

/** A whole description and its neighbours many times over; a browser keeps some millions in all. */
const DRAFT_CHARS_MAX = 100_000

const passKey = (eventId: string) => `onsale:pass:${eventId}`
const placeKey = (accountId: string, eventId: string) => `onsale:place:${accountId}:${eventId}`
const startKey = (eventId: string) => `onsale:start:${eventId}`
const seenKey = (eventId: string) => `onsale:seen:${eventId}`
const choiceKey = (eventId: string) => `onsale:choice:${eventId}`
const leaveKey = (eventId: string) => `onsale:leave:${eventId}`
const invitationKey = (eventId: string) => `onsale:invitation:${eventId}`
const paymentKey = (bookingId: string) => `onsale:payment:${bookingId}`
const draftKey = (accountId: string, what: string) => `onsale:draft:${accountId}:${what}`
const DOOR_KEY = 'onsale:door'
const SIGNED_IN_KEY = 'onsale:signed-in'
const USER_KEY = 'onsale:user'
const TICKETS_KEY = 'onsale:tickets'
const REFRESHED_KEY = 'onsale:refreshed-at'

/** The admission to an event, for this tab. */
export const findPass = (eventId: string): AdmissionPass | null => {
  const kept = parse<AdmissionPass>(read(tab, passKey(eventId)))
  return kept && typeof kept.pass === 'string' && typeof kept.expiresAt === 'string' ? kept : null
}
export const keepPass = (eventId: string, pass: AdmissionPass | null): void =>
  write(tab, passKey(eventId), pass && JSON.stringify(pass))

/** The signed place in line, by which the line knows us again after a lost connection. */
export const findPlace = (accountId: string, eventId: string) => read(device, placeKey(accountId, eventId))
export const keepPlace = (accountId: string, eventId: string, ticket: string | null): void =>
  write(device, placeKey(accountId, eventId), ticket)

/** How many were ahead when we came in; one place an event is remembered. */
export function findStart(place: string): number | null {
  const kept = parse<{ place: string; ahead: number }>(read(device, startKey(place.split(':', 1)[0] ?? '')))
  return kept?.place === place && Number.isInteger(kept.ahead) ? kept.ahead : null
}
export const keepStart = (eventId: string, place: string, ahead: number): void =>
  write(device, startKey(eventId), JSON.stringify({ place, ahead }))

/** What was last heard of a place, for a page that comes back while nobody answers. */
export interface Seen {
  ahead: number
  /** ISO 8601 */
  at: string
}
export const findSeen = (eventId: string): Seen | null => {
  const kept = parse<Seen>(read(device, seenKey(eventId)))
  return kept && Number.isInteger(kept.ahead) && typeof kept.at === 'string' ? kept : null
}
export const keepSeen = (eventId: string, seen: Seen | null): void =>
  write(device, seenKey(eventId), seen && JSON.stringify(seen))

/** Set once a booking is paid, until the line has been told that we are done. */
export const owesLeave = (eventId: string) => read(tab, leaveKey(eventId)) !== null
export const oweLeave = (eventId: string, owed: boolean): void =>
  write(tab, leaveKey(eventId), owed ? '1' : null)

/** An invitation that was opened, until it is used: signing in or registering comes between. */
export const findInvitation = (eventId: string) => read(device, invitationKey(eventId))
export const keepInvitation = (eventId: string, invitation: string | null): void =>
  write(device, invitationKey(eventId), invitation)

/** Seats chosen before signing in; taken up once. */
export const keepChoice = (eventId: string, seats: readonly number[]): void =>
  write(tab, choiceKey(eventId), seats.length > 0 ? JSON.stringify(seats) : null)
export function takeChoice(eventId: string): number[] {
  const kept = parse<number[]>(read(tab, choiceKey(eventId)))
  if (kept) write(tab, choiceKey(eventId), null)
  return Array.isArray(kept) ? kept.filter((n) => Number.isInteger(n) && n >= 0) : []
}

/** The payment under way for a booking: a reload goes on with it and never starts a second one. */
export interface PaymentUnderWay {
  method: SandboxMethod
  key: string
}
export const findPayment = (bookingId: string): PaymentUnderWay | null => {
  const kept = parse<PaymentUnderWay>(read(tab, paymentKey(bookingId)))
  return kept && SANDBOX_METHODS.includes(kept.method) && typeof kept.key === 'string' ? kept : null
}
export const keepPayment = (bookingId: string, payment: PaymentUnderWay | null): void =>
  write(tab, paymentKey(bookingId), payment && JSON.stringify(payment))

/** What an organiser has typed and not saved: survives a reload, a closed tab and an ended session. */
export const findDraft = (accountId: string, what: string): unknown =>
  parse<unknown>(read(device, draftKey(accountId, what)))
export function keepDraft(accountId: string, what: string, typed: unknown): void {
  const text = typed === null ? null : JSON.stringify(typed)
  if (text === null || text.length <= DRAFT_CHARS_MAX) write(device, draftKey(accountId, what), text)
}

/** Which door this device stands at. */
export interface KeptDoor {
  eventId: string
  gate: string
  sound: boolean
}
export const findDoor = (): KeptDoor | null => {
  const kept = parse<KeptDoor>(read(device, DOOR_KEY))
  return kept && typeof kept.eventId === 'string' && typeof kept.gate === 'string' ? kept : null
}
export const keepDoor = (door: KeptDoor): void => write(device, DOOR_KEY, JSON.stringify(door))

/** The session's cookies are out of reach for scripts; this remembers only that there should be some. */
export const wasSignedIn = () => read(device, SIGNED_IN_KEY) !== null
export const keepSignedIn = (signedIn: boolean): void => write(device, SIGNED_IN_KEY, signedIn ? '1' : null)

/** Who is signed in, as last told: a page opened without a connection still knows whose tickets it may show. */
export const findUser = (): UserView | null => parse<UserView>(read(device, USER_KEY))
export const keepUser = (user: UserView | null): void => write(device, USER_KEY, user && JSON.stringify(user))

/** The tickets last seen here, and when: a door often has no network. Forgotten with the session. */
export interface KeptTickets {
  accountId: string
  /** ISO 8601, by the server's clock. */
  seenAt: string
  tickets: TicketView[]
}
export const findTickets = (accountId: string): KeptTickets | null => {
  const kept = parse<KeptTickets>(read(device, TICKETS_KEY))
  return kept?.accountId === accountId && Array.isArray(kept.tickets) ? kept : null
}
export const keepTickets = (kept: KeptTickets | null): void =>
  write(device, TICKETS_KEY, kept && JSON.stringify(kept))

export const onSignedInElsewhere = (changed: () => void): void =>
  window.addEventListener('storage', (event) => {
    if (event.key === SIGNED_IN_KEY) changed()
  })

/** Device time (ms) of the last refresh by any tab. */
export const refreshedAt = () => Number(read(device, REFRESHED_KEY) ?? 0)
export const keepRefreshedAt = (ms: number): void => write(device, REFRESHED_KEY, String(ms))

function parse<T>(text: string | null): T | null {
  if (text === null) return null
  try {
    return JSON.parse(text) as T
  } catch {
    return null
  }
}
