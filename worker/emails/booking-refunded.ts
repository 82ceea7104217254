// Decides what a buyer is told when money goes back.
import type { MailWords } from './languages/en.ts'
import { renderLetter, type Mail } from './letter.ts'
import { writeMoney, type MailMoney, type MailSeat } from './words.ts'

export interface BookingRefundedInput {
  bookingId: string
  bookingUrl: string
  eventName: string
  refunded: MailMoney
  /** The seats given back; empty when the money came too late to buy any. */
  seats: MailSeat[]
  /** In the organiser's words; null when there is none. */
  reason: string | null
}

export function bookingRefundedMail(words: MailWords, input: BookingRefundedInput): Mail {
  const { eventName, seats, reason } = input
  const say = words.refunded
  return renderLetter(words, {
    subject: say.subject(eventName),
    opening: say.opening(writeMoney(words, input.refunded), eventName),
    action: { label: say.action, url: input.bookingUrl },
    blocks: [
      { text: say.how },
      ...(reason === null ? [] : [{ facts: [[say.reason, reason] as [string, string]] }]),
      ...(seats.length === 0 ? [] : [{ list: say.ended(seats.length), items: seats.map(words.seat) }]),
      { facts: [[words.booking, input.bookingId]] },
    ],
  })
}
