// Decides what a buyer is told when money goes back.
import { renderLetter, type Mail } from './letter.ts'
import { writeMoney, writeSeat, type MailMoney, type MailSeat } from './words.ts'

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

export function bookingRefundedMail(input: BookingRefundedInput): Mail {
  const { eventName, seats } = input
  const one = seats.length === 1
  return renderLetter({
    subject: `Your refund for ${eventName}`,
    opening: `We are sending ${writeMoney(input.refunded)} for ${eventName} back to you.`,
    action: { label: 'Open my bookings', url: input.bookingUrl },
    blocks: [
      { text: 'It goes to the card or account you paid with. Your bank decides how soon it shows.' },
      ...(input.reason === null ? [] : [{ facts: [['Reason', input.reason] as [string, string]] }]),
      ...(seats.length === 0
        ? []
        : [
            {
              list: one ? 'This ticket is no longer valid' : 'These tickets are no longer valid',
              items: seats.map(writeSeat),
            },
          ]),
      { facts: [['Booking', input.bookingId]] },
    ],
  })
}
