// Decides how money, moments and seats are written in a mail.

/** English with a 24-hour clock and currencies that cannot be mistaken (US$, A$). */
const LOCALE = 'en-GB'

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

/** Minor units as people write them: two digits for EUR, none for JPY, three for KWD. */
export function writeMoney({ amount, currency }: MailMoney): string {
  const format = new Intl.NumberFormat(LOCALE, { style: 'currency', currency })
  const digits = format.resolvedOptions().maximumFractionDigits ?? 0
  return format.format(amount / 10 ** digits)
}

/** The moment as it reads on a clock at the venue, with the zone named. */
export function writeMoment(moment: Date, timeZone: string): string {
  return new Intl.DateTimeFormat(LOCALE, {
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

export function writeSeat({ section, row, number }: MailSeat): string {
  if (row === null && number === null) return `${section}, general admission`
  return [section, row === null ? null : `row ${row}`, number === null ? null : `seat ${number}`]
    .filter((part) => part !== null)
    .join(', ')
}
