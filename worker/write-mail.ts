// Decides what an outbox row says to whom: reads the ledger as it is now and writes the mail, or finds it needless.
import { findProfile } from '../db/profiles.ts'
import { findBooking, type BookingRow } from '../db/bookings/read-bookings.ts'
import type { Reader } from '../db/client.ts'
import { getEvent } from '../db/events.ts'
import type { OutboxRow } from '../db/outbox.ts'
import { listTicketsOfBooking } from '../db/tickets.ts'
import { accountExistsMail } from './emails/account-exists.ts'
import { bookingConfirmedMail } from './emails/booking-confirmed.ts'
import { bookingExpiredMail } from './emails/booking-expired.ts'
import { bookingRefundedMail } from './emails/booking-refunded.ts'
import type { Mail } from './emails/letter.ts'
import type { Links } from './emails/links.ts'
import { passwordResetMail } from './emails/password-reset.ts'
import { verificationMail } from './emails/verification.ts'
import type { MailWords } from './emails/languages/en.ts'
import { wordsOf } from './emails/words.ts'
import { Hopeless } from './outbox-job.ts'

export interface WrittenMail {
  to: string
  mail: Mail
}

/** What the timeline calls a refund of bought seats. */
const REFUNDS = ['booking_refunded', 'seats_refunded']

interface Sources {
  reader: Reader
  links: Links
}

/** Null when there is nobody left to write to, or when what it would say is no longer so. */
export async function writeMail(sources: Sources, row: OutboxRow): Promise<WrittenMail | null> {
  switch (row.kind) {
    case 'send_verification':
      return writeToAccount(sources, row.payload.accountId, ({ email, verified, words }) =>
        verified
          ? null
          : verificationMail(words, { verifyUrl: sources.links.verify(row.payload.token, email) }),
      )
    case 'send_account_exists':
      return writeToAccount(sources, row.payload.accountId, ({ words }) =>
        accountExistsMail(words, { loginUrl: sources.links.login() }),
      )
    case 'reset_password':
      return writeToAccount(sources, row.payload.accountId, ({ email, words }) =>
        passwordResetMail(words, { resetUrl: sources.links.resetPassword(row.payload.token, email) }),
      )
    case 'booking_confirmed':
      return writeToBuyer(sources, row.payload.bookingId, (...to) => writeConfirmed(sources, ...to))
    case 'booking_expired':
      return writeToBuyer(sources, row.payload.bookingId, (...to) => writeExpired(sources, ...to))
    case 'booking_refunded':
      return writeToBuyer(sources, row.payload.bookingId, (...to) =>
        writeRefunded(sources, row.payload.amount, ...to),
      )
    default:
      throw new Hopeless(`no mail is known for ${row.kind}`)
  }
}

async function writeToAccount(
  { reader }: Sources,
  accountId: string,
  write: (account: { email: string; verified: boolean; words: MailWords }) => Mail | null,
): Promise<WrittenMail | null> {
  const account = await findProfile(reader, accountId)
  const mail = account && write({ ...account, words: wordsOf(account.language) })
  return mail ? { to: account.email, mail } : null
}

async function writeToBuyer(
  { reader }: Sources,
  bookingId: string,
  write: (words: MailWords, booking: BookingRow) => Promise<Mail | null>,
): Promise<WrittenMail | null> {
  const booking = await findBooking(reader, bookingId)
  const account = booking && (await findProfile(reader, booking.accountId))
  const mail = account && (await write(wordsOf(account.language), booking))
  return mail ? { to: account.email, mail } : null
}

async function writeConfirmed(
  { reader, links }: Sources,
  words: MailWords,
  booking: BookingRow,
): Promise<Mail | null> {
  if (booking.status !== 'CONFIRMED') return null
  const [event, tickets] = await Promise.all([
    getEvent(reader, booking.eventId),
    listTicketsOfBooking(reader, booking),
  ])
  const seats = booking.seats.filter(({ live }) => live)
  const valid = tickets.filter(({ status }) => status === 'VALID')
  // Both lists are in map order, so a seat and its ticket stand at the same index.
  if (seats.length !== valid.length) throw new Error('the booking has not one ticket a seat')
  return bookingConfirmedMail(words, {
    bookingId: booking.id,
    bookingUrl: links.confirmedBooking(booking.id),
    eventName: event.name,
    location: event.location,
    startsAt: event.startsAt,
    timeZone: event.timeZone,
    total: { amount: booking.total, currency: booking.currency },
    seats: seats.map((seat, index) => ({ ...seat, ticketCode: valid[index]!.code })),
  })
}

async function writeExpired({ links }: Sources, words: MailWords, booking: BookingRow): Promise<Mail | null> {
  if (booking.status !== 'EXPIRED') return null
  return bookingExpiredMail(words, {
    bookingId: booking.id,
    eventUrl: links.event(booking.eventId),
    eventName: booking.eventName,
    seats: booking.seats,
  })
}

/** The timeline knows which seats a refund was for and why; late money bought no seats and has no such entry. */
async function writeRefunded(
  { links }: Sources,
  amount: number,
  words: MailWords,
  booking: BookingRow,
): Promise<Mail> {
  const told = booking.timeline.findLast(
    ({ what, detail }) => REFUNDS.includes(what) && detail?.['amount'] === amount,
  )
  const numbers = Array.isArray(told?.detail?.['seats']) ? (told.detail['seats'] as unknown[]) : []
  const reason = told?.detail?.['reason']
  return bookingRefundedMail(words, {
    bookingId: booking.id,
    bookingUrl: links.bookings(),
    eventName: booking.eventName,
    refunded: { amount, currency: booking.currency },
    seats: booking.seats.filter(({ n }) => numbers.includes(n)),
    reason: typeof reason === 'string' ? reason : null,
  })
}
