// Decides what a buyer is told when the time to pay ran out.
import type { MailWords } from './languages/en.ts'
import { renderLetter, type Mail } from './letter.ts'
import type { MailSeat } from './words.ts'

export interface BookingExpiredInput {
  bookingId: string
  eventUrl: string
  eventName: string
  seats: MailSeat[]
}

export function bookingExpiredMail(words: MailWords, input: BookingExpiredInput): Mail {
  const { bookingId, eventUrl, eventName, seats } = input
  const say = words.expired
  return renderLetter(words, {
    subject: say.subject(eventName),
    opening: say.opening(eventName, seats.length),
    action: { label: say.action, url: eventUrl },
    blocks: [
      { list: say.seats(seats.length), items: seats.map(words.seat) },
      { text: say.lateMoney(seats.length) },
      { facts: [[words.booking, bookingId]] },
    ],
  })
}
