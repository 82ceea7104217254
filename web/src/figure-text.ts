// Decides how shares and money read where there is little room: on an axis, in a tile.
import type { Money } from '../../server/protocol/http.ts'
import { minorDigits } from './currency.ts'
import { locale } from './format.ts'

const share = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 })
const short = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 })

/** 0.125 as "13 %". */
export const formatShare = (part: number): string => share.format(part)
/** "12.5K" in major units: the currency stands beside it. */
export const formatMoneyShort = ({ amount, currency }: Money): string =>
  short.format(amount / 10 ** minorDigits(currency))
