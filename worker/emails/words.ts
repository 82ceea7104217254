// Decides which language a mail is in, and how money and moments are written in it.
import { english, type MailWords } from './languages/en.ts'
import { indonesian } from './languages/id.ts'
import type { MailLanguage } from '../../db/languages.ts'

export interface MailMoney {
  /** In minor units. */
  amount: number
  /** ISO 4217. */
  currency: string
}

export interface MailSeat {
  section: string
  /** Null for general admission. */
  row: string | null
  number: string | null
}

const WORDS: Record<MailLanguage, MailWords> = { en: english, id: indonesian }

/** English for who never said otherwise. */
export const wordsOf = (language: MailLanguage | null): MailWords => WORDS[language ?? 'en']

/** Minor units as people write them: two digits for EUR, none for JPY, three for KWD. */
export function writeMoney({ locale }: MailWords, { amount, currency }: MailMoney): string {
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency })
  const digits = format.resolvedOptions().maximumFractionDigits ?? 0
  return format.format(amount / 10 ** digits)
}

/** The moment as it reads on a clock at the venue, with the zone named. */
export function writeMoment({ locale }: MailWords, moment: Date, timeZone: string): string {
  return new Intl.DateTimeFormat(locale, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZone,
    timeZoneName: 'short',
  }).format(moment)
}
