// Owns what a person asks of their own: a little more time, who they are, what is kept of them, and to be forgotten.
import type { Language } from '../../../server/protocol/codes.ts'
import type { BookingView, UserView } from '../../../server/protocol/http.ts'
import { ask, newKey } from './api.ts'

const at = (id: string) => encodeURIComponent(id)

/** @param key one for one hold: pressing twice gives the time once */
export const extendBooking = (bookingId: string, key: string) =>
  ask<BookingView>(`/booking/${at(bookingId)}/extend`, { method: 'POST', key })
export const changeProfile = (change: { fullName?: string; language?: Language }) =>
  ask<UserView>('/auth/me', { method: 'PATCH', body: change, key: newKey() })
/** Everything that is kept; the window only hands it on. */
export const exportPersonalData = () => ask<unknown>('/auth/me/export')
export const eraseAccount = () => ask('/auth/me', { method: 'DELETE' })

/** Where the paper is; the cookie says whose it is. */
export const ticketsPdfAddress = (bookingId: string) => `/api/v1/booking/${at(bookingId)}/tickets.pdf`
