// Owns the English of the mails; another language is another file of this shape.
import type { MailSeat } from '../words.ts'

export const english = {
  /** English with a 24-hour clock and currencies that cannot be mistaken (US$, A$). */
  locale: 'en-GB',
  footer: 'Sent by Onsale because of something done with this email address. Replies are not read.',
  orOpen: 'Or open',
  booking: 'Booking',
  seat: ({ section, row, number }: MailSeat) =>
    row === null && number === null
      ? `${section}, general admission`
      : [section, row && `row ${row}`, number && `seat ${number}`].filter(Boolean).join(', '),

  verification: {
    subject: 'Confirm your email address',
    opening: 'Confirm this email address to finish creating your Onsale account.',
    action: 'Confirm my address',
    lifetime: 'The link works once and for one hour. After that you can ask for a new one where you sign in.',
    next: 'As soon as the address is confirmed you can sign in, join a waiting room and book seats.',
    notYou: 'If you did not create an account, ignore this mail: without the link nothing happens.',
  },
  accountExists: {
    subject: 'You already have an Onsale account',
    opening: 'Someone tried to create an Onsale account with this email address, which already has one.',
    action: 'Sign in',
    you: 'If it was you, sign in with the password you chose before.',
    notYou: 'If it was not you, there is nothing to do: your account and your password have not changed.',
  },
  passwordReset: {
    subject: 'Choose a new password',
    opening: 'Someone asked for a new password for your Onsale account.',
    action: 'Choose a new password',
    lifetime: 'The link works once and for one hour. Choosing a new password signs you out on every device.',
    notYou: 'If it was not you, ignore this mail: your password stays as it is.',
  },
  confirmed: {
    subject: (event: string) => `Your tickets for ${event}`,
    opening: (event: string, seats: number) =>
      `Your booking for ${event} is paid, and the ${seats === 1 ? 'seat is' : `${seats} seats are`} yours.`,
    action: 'Open my booking',
    event: 'Event',
    when: 'When',
    where: 'Where',
    paid: 'Paid',
    tickets: (count: number): string => (count === 1 ? 'Your ticket' : 'Your tickets'),
    code: 'ticket code',
    atTheDoor:
      'Show the code of each ticket at the door. Each admits one person, once, so keep it to yourself.',
  },
  expired: {
    subject: (event: string) => `Your booking for ${event} has expired`,
    opening: (event: string, seats: number) =>
      `The time to pay for your booking for ${event} ran out, so ${seats === 1 ? 'the seat is' : 'the seats are'} on sale again.`,
    action: 'See which seats are left',
    seats: (count: number): string => (count === 1 ? 'The seat you had' : 'The seats you had'),
    lateMoney: (seats: number): string =>
      seats === 1
        ? 'If a payment of yours still arrives, you get the same seat when nobody has taken it, and otherwise all of the money back. We write to you either way.'
        : 'If a payment of yours still arrives, you get the same seats when nobody has taken them, and otherwise all of the money back. We write to you either way.',
  },
  refunded: {
    subject: (event: string) => `Your refund for ${event}`,
    opening: (money: string, event: string) => `We are sending ${money} for ${event} back to you.`,
    action: 'Open my bookings',
    how: 'It goes to the card or account you paid with. Your bank decides how soon it shows.',
    reason: 'Reason',
    ended: (tickets: number): string =>
      tickets === 1 ? 'This ticket is no longer valid' : 'These tickets are no longer valid',
  },
}

export type MailWords = typeof english
