// Shows what buyers read: the link first, text and HTML that say the same, nobody's words able to break out.
import { describe, expect, test } from 'bun:test'
import { accountExistsMail } from '../../worker/emails/account-exists.ts'
import { bookingConfirmedMail } from '../../worker/emails/booking-confirmed.ts'
import { bookingExpiredMail } from '../../worker/emails/booking-expired.ts'
import { bookingRefundedMail } from '../../worker/emails/booking-refunded.ts'
import type { Mail } from '../../worker/emails/letter.ts'
import { passwordResetMail } from '../../worker/emails/password-reset.ts'
import { verificationMail } from '../../worker/emails/verification.ts'
import { MAIL_LANGUAGES } from '../../db/languages.ts'
import { english, type MailWords } from '../../worker/emails/languages/en.ts'
import { writeMoment, writeMoney, wordsOf } from '../../worker/emails/words.ts'

const url = 'https://tickets.example/page?token=abc&email=ada%40mail.test'
const nasty = `<img src=x onerror="alert('1')"> & Co\r\nBcc: everybody@evil.test`
const seats = [
  { section: 'Stalls', row: 'C', number: '12' },
  { section: 'Standing', row: null, number: null },
]

function confirmed(eventName: string, words = english): Mail {
  return bookingConfirmedMail(words, {
    bookingId: '0199d0c0-0000-7000-8000-000000000001',
    bookingUrl: url,
    eventName,
    location: 'Musikverein, Wien',
    startsAt: new Date('2027-04-15T17:30:00Z'),
    timeZone: 'Europe/Vienna',
    total: { amount: 123450, currency: 'EUR' },
    seats: seats.map((seat, i) => ({ ...seat, tier: 'Gold', price: 61725, ticketCode: `code-${i}` })),
  })
}

/** Every mail in every language, about an event of a given name. */
const every = MAIL_LANGUAGES.flatMap((language) =>
  Object.entries(mailsIn(wordsOf(language))).map(
    ([name, write]) => [`${name} (${language})`, write] as const,
  ),
)

function mailsIn(words: MailWords): Record<string, (eventName: string) => Mail> {
  return {
    verification: () => verificationMail(words, { verifyUrl: url }),
    'account exists': () => accountExistsMail(words, { loginUrl: url }),
    'password reset': () => passwordResetMail(words, { resetUrl: url }),
    'booking confirmed': (eventName) => confirmed(eventName, words),
    'booking expired': (eventName) =>
      bookingExpiredMail(words, { bookingId: 'b-1', eventUrl: url, eventName, seats }),
    'booking refunded': (eventName) =>
      bookingRefundedMail(words, {
        bookingId: 'b-1',
        bookingUrl: url,
        eventName,
        refunded: { amount: 5000, currency: 'EUR' },
        seats,
        reason: eventName,
      }),
  }
}

describe.each(every)('the %s mail', (_, write) => {
  const mail = write('Così fan tutte')

  test('puts the link before everything but the first sentence', () => {
    expect(mail.text.split('\n\n')[1]).toEndWith(`:\n${url}`)
    const afterOpening = mail.html.slice(mail.html.indexOf('</h1>') + '</h1>'.length).trimStart()
    expect(afterOpening).toStartWith(
      '<a class="button" href="https://tickets.example/page?token=abc&amp;email=',
    )
  })

  test('says the same as text and as HTML', () => {
    const html = readable(mail.html)
    for (const line of mail.text.split('\n').flatMap((text) => text.split(/: (?=\S)/))) {
      expect(html).toContain(line.replace(/^- /, '').replace(/:$/, ''))
    }
  })

  test('reads on a phone and in the dark', () => {
    expect(mail.html).toContain('name="viewport" content="width=device-width')
    expect(mail.html).toContain('name="color-scheme" content="light dark"')
    expect(mail.html).toContain('prefers-color-scheme:dark')
    expect(mail.html).not.toMatch(/<(script|img|link|iframe)\b/)
  })

  test("takes nobody's words for markup or for a header", () => {
    const hostile = write(nasty)
    expect(hostile.subject).not.toMatch(/[\r\n]/)
    expect(hostile.html).not.toContain('<img')
    expect(hostile.text).not.toMatch(/^Bcc:/m)
    const plain = write('plain')
    expect(tags(hostile.html)).toEqual(tags(plain.html))
  })

  test('keeps its subject short whatever an event is called', () => {
    expect(write('x'.repeat(10_000)).subject.length).toBeLessThanOrEqual(150)
  })
})

test('a confirmed booking has seats, total, time at the venue and ticket codes', () => {
  const { subject, text } = confirmed('Così fan tutte')
  expect(subject).toBe('Your tickets for Così fan tutte')
  expect(text).toContain('Paid: €1,234.50')
  expect(text).toContain('When: Thursday, 15 April 2027 at 19:30')
  expect(text).toContain('- Stalls, row C, seat 12 (Gold, €617.25): ticket code code-0')
  expect(text).toContain('- Standing, general admission (Gold, €617.25): ticket code code-1')
})

test('money is written in the digits of its currency', () => {
  expect(writeMoney(english, { amount: 12345, currency: 'EUR' })).toBe('€123.45')
  expect(writeMoney(english, { amount: 12345, currency: 'USD' })).toBe('US$123.45')
  expect(writeMoney(english, { amount: 12345, currency: 'JPY' })).toBe('JP¥12,345')
  expect(writeMoney(english, { amount: 12345, currency: 'KWD' })).toMatch(/^KWD\s12\.345$/)
})

test('the hour is that of the venue, not of the machine', () => {
  const moment = new Date('2027-01-01T02:00:00Z')
  expect(writeMoment(english, moment, 'America/New_York')).toContain('31 December 2026 at 21:00')
  expect(writeMoment(english, moment, 'Asia/Tokyo')).toContain('1 January 2027 at 11:00')
})

test('a buyer who chose Indonesian is written to in Indonesian, with the money and the hour as written there', () => {
  const { subject, text, html } = confirmed('Malam Gamelan', wordsOf('id'))
  expect(subject).toBe('Tiket Anda untuk Malam Gamelan')
  expect(text).toContain('Waktu: Kamis, 15 April 2027')
  expect(text).toContain('- Stalls, baris C, kursi 12')
  expect(html).toContain('<html lang="id-ID">')
  expect(wordsOf(null)).toBe(english)
})

/** What a person sees of HTML, as one line. */
function readable(html: string): string {
  const entities: Record<string, string> = {
    '&amp;': '&',
    '&lt;': '<',
    '&gt;': '>',
    '&quot;': '"',
    '&#39;': "'",
  }
  return html
    .replace(/^[\s\S]*<body[^>]*>/, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&(amp|lt|gt|quot|#39);/g, (entity) => entities[entity]!)
    .replace(/\s+/g, ' ')
}

function tags(html: string): string[] {
  return html.match(/<\/?[a-z0-9!]+/gi) ?? []
}
