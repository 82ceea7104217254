// Decides in which language the window is sent: as the person chose, else as their browser asks, else the first there is.
import { readCookie } from './auth/cookies.ts'

/** Set by the window when somebody chooses. */
export const LANGUAGE_COOKIE = 'language'
/** A header of more is not read to its end. */
const WISHES_MAX = 20

/** @param spoken the languages there are, the one for everybody else first */
export function chooseLanguage(headers: Headers, spoken: readonly string[]): string {
  const chosen = readCookie(headers, LANGUAGE_COOKIE)
  if (chosen !== null && spoken.includes(chosen)) return chosen
  return wishesOf(headers).find((wish) => spoken.includes(wish)) ?? spoken[0] ?? ''
}

/** The languages of `Accept-Language`, the most wished for first, without their countries. */
function wishesOf(headers: Headers): string[] {
  const wishes = (headers.get('accept-language') ?? '').split(',', WISHES_MAX).flatMap((part) => {
    const [tag = '', ...params] = part.split(';')
    const weight = params.find((param) => param.trim().startsWith('q='))
    const q = weight === undefined ? 1 : Number(weight.trim().slice(2))
    return q > 0 ? [{ language: tag.trim().toLowerCase().split('-', 1)[0] ?? '', q }] : []
  })
  return wishes.toSorted((a, b) => b.q - a.q).map(({ language }) => language)
}
