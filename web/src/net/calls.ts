// Owns the buyer's questions to the server: one function a route, typed by the protocol.
import type { SandboxMethod } from '../../../server/protocol/codes.ts'
import type {
  AvailabilityView,
  BestBookingBody,
  BookingView,
  CheckoutView,
  DrawProofView,
  EntrantView,
  EventSummary,
  EventView,
  HeldView,
  MapView,
  Page,
  RoomView,
  SessionView,
  TicketView,
  UserView,
} from '../../../server/protocol/http.ts'
import type { RedeemedView } from '../../../server/protocol/room-desk.ts'
import { ask, newKey } from './api.ts'

const at = (id: string) => encodeURIComponent(id)

export const listEvents = (cursor?: string) => ask<Page<EventSummary>>('/event', { query: { cursor } })
export const getEvent = (eventId: string) => ask<EventView>(`/event/${at(eventId)}`)
export const getMap = (eventId: string) => ask<MapView>(`/event/${at(eventId)}/map`)
export const getAvailability = (eventId: string) =>
  ask<AvailabilityView>(`/event/${at(eventId)}/availability`)
export const getRoom = (eventId: string) => ask<RoomView>(`/event/${at(eventId)}/room`)
export const getEntrant = (eventId: string) => ask<EntrantView>(`/event/${at(eventId)}/room/me`)
export const getDrawProof = (eventId: string, number: number) =>
  ask<DrawProofView>(`/event/${at(eventId)}/room/draw/proof`, { query: { number: String(number) } })
export const leaveRoom = (eventId: string) =>
  ask(`/event/${at(eventId)}/room/leave`, { method: 'POST', key: newKey() })

export const redeemInvitation = (eventId: string, invitation: string) =>
  ask<RedeemedView>(`/event/${at(eventId)}/room/priority/redeem`, { method: 'POST', body: { invitation } })

/** @param key one for one choice of seats: pressing twice holds once */
export const holdSeats = (eventId: string, seatIds: string[], key: string) =>
  ask<HeldView>('/booking', { method: 'POST', body: { seatIds }, key, passFor: eventId })
/** The best seats that are free, chosen and held by the server. */
export const holdBest = (body: BestBookingBody, key: string, eventId: string) =>
  ask<HeldView>('/booking/best', { method: 'POST', body, key, passFor: eventId })
export const getBooking = (bookingId: string) => ask<BookingView>(`/booking/${at(bookingId)}`)
export const listMyBookings = (cursor?: string) =>
  ask<Page<BookingView>>('/booking/mine', { query: { cursor } })
export const releaseBooking = (bookingId: string) => ask(`/booking/${at(bookingId)}`, { method: 'DELETE' })

export const startCheckout = (bookingId: string, key: string) =>
  ask<CheckoutView>(`/payment/${at(bookingId)}/checkout`, { method: 'POST', key })
export const confirmPayment = (bookingId: string, method: SandboxMethod, key: string) =>
  ask<BookingView>(`/payment/${at(bookingId)}/confirm`, { method: 'POST', body: { method }, key })

export const listMyTickets = (cursor?: string) => ask<Page<TicketView>>('/ticket/mine', { query: { cursor } })

export const register = (body: { email: string; password: string; fullName: string }, key: string) =>
  ask<UserView | null>('/auth/register', { method: 'POST', body, key })
export const verifyAddress = (token: string, email: string) =>
  ask('/auth/verify', { method: 'POST', query: { token, email } })
export const resendVerification = (email: string) =>
  ask('/auth/verify/resend', { method: 'POST', body: { email }, key: newKey() })
export const requestPasswordReset = (email: string) =>
  ask('/auth/password/forgot', { method: 'POST', body: { email }, key: newKey() })
export const resetPassword = (token: string, password: string) =>
  ask('/auth/password/reset', { method: 'POST', body: { token, password } })
export const listSessions = () => ask<SessionView[] | Page<SessionView>>('/auth/sessions')
export const endSession = (id: string) => ask(`/auth/sessions/${at(id)}`, { method: 'DELETE' })

export interface DevMail {
  to: string
  subject: string
}
/** Answers only where the embedded mailbox is running. */
export const readMailbox = (to: string) => ask<DevMail[]>('/dev/mailbox', { query: { to } })
