// Decides how an amount of money reads, in its own currency and the person's language.
import type { Money } from '../../server/protocol/http.ts'
import { minorDigits } from './currency.ts'
import { cached, locale } from './format.ts'

export function formatMoney({ amount, currency }: Money): string {
  const digits = minorDigits(currency)
  const options = {
    style: 'currency',
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  } as const
  const format = cached(`money ${currency}`, () => new Intl.NumberFormat(locale, options))
  return format.format(amount / 10 ** digits)
}
