// Decides how times and counts read: in the event's zone and the person's language.
import { language } from './language.ts'

export { formatMoney } from './money.ts'

/** The language of the window, in the person's own manner of it where they have one: en-GB, not en. */
export const locale: string =
  globalThis.navigator?.languages?.find((tag) => tag.split('-', 1)[0] === language) ?? language

const cache = new Map<string, Intl.DateTimeFormat | Intl.NumberFormat>()
const CACHE_MAX = 100

/** Formatters are dear to make and few are needed. */
export function cached<T extends Intl.DateTimeFormat | Intl.NumberFormat>(key: string, make: () => T): T {
  const found = cache.get(key)
  if (found) return found as T
  if (cache.size >= CACHE_MAX) cache.clear()
  const made = make()
  cache.set(key, made)
  return made
}

export const formatCount = (count: number): string =>
  cached('count', () => new Intl.NumberFormat(locale)).format(count)

function inZone(at: string, timeZone: string | undefined, options: Intl.DateTimeFormatOptions): string {
  const key = `${timeZone} ${JSON.stringify(options)}`
  return cached(key, () => new Intl.DateTimeFormat(locale, { ...options, timeZone })).format(new Date(at))
}

/** "Thursday, 15 April 2027 at 20:00 WIB" in the event's zone, with its name. */
export const formatWhen = (at: string, timeZone?: string): string =>
  inZone(at, timeZone, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZoneName: 'short',
  })

/** The same, short: "Thu 15 Apr 2027, 20:00 WIB". */
export const formatWhenShort = (at: string, timeZone?: string): string =>
  inZone(at, timeZone, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZoneName: 'short',
  })

/** "20:00:05", for a timeline within a day. */
export const formatClock = (at: string, timeZone?: string): string =>
  inZone(at, timeZone, { hour: 'numeric', minute: '2-digit', second: '2-digit' })

export const formatMonth = (at: string, timeZone?: string) => inZone(at, timeZone, { month: 'short' })
export const formatDay = (at: string, timeZone?: string) => inZone(at, timeZone, { day: 'numeric' })
export const formatYear = (at: string, timeZone?: string) => inZone(at, timeZone, { year: 'numeric' })

/**
 * The event's time where the buyer is, short; null where their clocks show the same. "Thu 15 Apr 2027, 14:00 GMT+1".
 */
export function formatWhenHere(at: string, timeZone: string): string | null {
  const here = new Intl.DateTimeFormat().resolvedOptions().timeZone
  const clock = (zone: string) =>
    inZone(at, zone, {
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    })
  return clock(here) === clock(timeZone) ? null : formatWhenShort(at, here)
}

const MINUTE = 60
const HOUR = 3_600
const DAY = 86_400
const two = (n: number) => String(n).padStart(2, '0')

type Unit = 'second' | 'minute' | 'hour' | 'day'
const inUnit = (unit: Unit) =>
  cached(`unit ${unit}`, () => new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }))

/** "4 minutes", in words. */
export const sayUnit = (count: number, unit: Unit): string => inUnit(unit).format(count)
/** "4–7 minutes", in words. */
export const sayUnits = (from: number, to: number, unit: Unit): string => inUnit(unit).formatRange(from, to)

/** Seconds as "4:05", "1:04:05" or "3 days 4 hours": what a countdown shows. */
export function formatLeft(seconds: number): string {
  const s = Math.max(0, Math.ceil(seconds))
  if (s >= DAY)
    return `${sayUnit(Math.floor(s / DAY), 'day')} ${sayUnit(Math.floor((s % DAY) / HOUR), 'hour')}`
  if (s >= HOUR) return `${Math.floor(s / HOUR)}:${two(Math.floor((s % HOUR) / MINUTE))}:${two(s % MINUTE)}`
  return `${Math.floor(s / MINUTE)}:${two(s % MINUTE)}`
}

/** Seconds in words: "4 minutes", "50 seconds"; what a screen reader is told. */
export function sayLeft(seconds: number): string {
  const s = Math.max(0, Math.ceil(seconds))
  if (s >= HOUR * 2) return sayUnit(Math.round(s / HOUR), 'hour')
  if (s >= MINUTE * 2) return sayUnit(Math.round(s / MINUTE), 'minute')
  return sayUnit(s, 'second')
}
