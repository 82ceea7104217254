// Decides what a buyer is told when a booking is paid: what, where, when, and the codes that open the door.
import { renderLetter, type Mail } from './letter.ts'
import { writeMoment, writeMoney, writeSeat, type MailMoney, type MailSeat } from './words.ts'

export interface BookingConfirmedInput {
  bookingId: string
  bookingUrl: string
  eventName: string
  location: string
  startsAt: Date
  timeZone: string
  total: MailMoney
  seats: (MailSeat & { tier: string; price: number; ticketCode: string })[]
}

export function bookingConfirmedMail(input: BookingConfirmedInput): Mail {
  const { eventName, seats, total } = input
  const { currency } = total
  return renderLetter({
    subject: `Your tickets for ${eventName}`,
    opening: `Your booking for ${eventName} is paid, and the ${seats.length === 1 ? 'seat is' : `${seats.length} seats are`} yours.`,
    action: { label: 'Open my booking', url: input.bookingUrl },
    blocks: [
      {
        facts: [
          ['Event', eventName],
          ['When', writeMoment(input.startsAt, input.timeZone)],
          ['Where', input.location],
          ['Paid', writeMoney(total)],
          ['Booking', input.bookingId],
        ],
      },
      {
        list: seats.length === 1 ? 'Your ticket' : 'Your tickets',
        items: seats.map(
          (seat) =>
            `${writeSeat(seat)} (${seat.tier}, ${writeMoney({ amount: seat.price, currency })}): ticket code ${seat.ticketCode}`,
        ),
      },
      {
        text: 'Show the code of each ticket at the door. Each admits one person, once, so keep it to yourself.',
      },
    ],
  })
}
