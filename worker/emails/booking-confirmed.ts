// Decides what a buyer is told when a booking is paid: what, where, when, and the codes that open the door.
import type { MailWords } from './languages/en.ts'
import { renderLetter, type Mail } from './letter.ts'
import { writeMoment, writeMoney, type MailMoney, type MailSeat } from './words.ts'

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

export function bookingConfirmedMail(words: MailWords, input: BookingConfirmedInput): Mail {
  const { eventName, seats, total } = input
  const { currency } = total
  const say = words.confirmed
  return renderLetter(words, {
    subject: say.subject(eventName),
    opening: say.opening(eventName, seats.length),
    action: { label: say.action, url: input.bookingUrl },
    blocks: [
      {
        facts: [
          [say.event, eventName],
          [say.when, writeMoment(words, input.startsAt, input.timeZone)],
          [say.where, input.location],
          [say.paid, writeMoney(words, total)],
          [words.booking, input.bookingId],
        ],
      },
      {
        list: say.tickets(seats.length),
        items: seats.map(
          (seat) =>
            `${words.seat(seat)} (${seat.tier}, ${writeMoney(words, { amount: seat.price, currency })}): ${say.code} ${seat.ticketCode}`,
        ),
      },
      { text: say.atTheDoor },
    ],
  })
}
