// Decides what a buyer is told when the time to pay ran out.
import { renderLetter, type Mail } from './letter.ts'
import { writeSeat, type MailSeat } from './words.ts'

export interface BookingExpiredInput {
  bookingId: string
  eventUrl: string
  eventName: string
  seats: MailSeat[]
}

export function bookingExpiredMail({ bookingId, eventUrl, eventName, seats }: BookingExpiredInput): Mail {
  const one = seats.length === 1
  return renderLetter({
    subject: `Your booking for ${eventName} has expired`,
    opening: `The time to pay for your booking for ${eventName} ran out, so ${one ? 'the seat is' : 'the seats are'} on sale again.`,
    action: { label: 'See which seats are left', url: eventUrl },
    blocks: [
      { list: one ? 'The seat you had' : 'The seats you had', items: seats.map(writeSeat) },
      {
        text: `If a payment of yours still arrives, you get the same ${one ? 'seat' : 'seats'} when nobody has taken ${one ? 'it' : 'them'}, and otherwise all of the money back. We write to you either way.`,
      },
      { facts: [['Booking', bookingId]] },
    ],
  })
}
