// Owns how many digits of an amount in minor units lie behind the point (ISO 4217); browsers disagree about some.

const NO_DIGITS = 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'
const THREE_DIGITS = 'BHD IQD JOD KWD LYD OMR TND'

const DIGITS: ReadonlyMap<string, number> = new Map([
  ...NO_DIGITS.split(' ').map((code) => [code, 0] as const),
  ...THREE_DIGITS.split(' ').map((code) => [code, 3] as const),
])

/** 2 for nearly every currency. */
export const minorDigits = (currency: string): number => DIGITS.get(currency) ?? 2
