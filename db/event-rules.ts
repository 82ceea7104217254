// Decides whether what an organiser says of an event can be true: dates, zone, currency and limits.

/** What a person may set of an event; times are instants, limits are seats. */
export interface EventFields {
  name: string
  description: string
  location: string
  startsAt: Date
  timeZone: string
  currency: string
  onSaleAt: Date | null
  holdSeconds: number
  maxSeatsPerBooking: number
  maxSeatsPerBuyer: number
}

/** One thing that is wrong: a JSON pointer into the request, and a sentence. */
export interface Problem {
  path: string
  message: string
}

export const HOLD_SECONDS = { default: 900, min: 5, max: 3600 } as const
const SEATS_PER_BOOKING_DEFAULT = 6
const SEATS_PER_BUYER_DEFAULT = 8
/** Postgres and JavaScript both know later years; a person who means one has mistyped. */
const YEAR_MAX = 9999

/**
 * Every problem of the event as it would be after the change; empty when there is none.
 * `changed` limits the rule "starts in the future" to a start that is being set, so that a running event's
 * description may still be corrected.
 */
export function checkEvent(event: EventFields, changed: Partial<EventFields>, now: Date): Problem[] {
  const problems: Problem[] = []
  const wrong = (field: keyof EventFields, message: string) => problems.push({ path: `/${field}`, message })

  if (event.name.trim() === '') wrong('name', 'must not be empty')
  if (event.location.trim() === '') wrong('location', 'must not be empty')
  if (!isInstant(event.startsAt)) wrong('startsAt', 'is not a date')
  else if (changed.startsAt && event.startsAt <= now) wrong('startsAt', 'must lie in the future')
  if (event.onSaleAt && !isInstant(event.onSaleAt)) wrong('onSaleAt', 'is not a date')
  else if (event.onSaleAt && event.onSaleAt >= event.startsAt)
    wrong('onSaleAt', 'must lie before the event starts')
  if (!isTimeZone(event.timeZone))
    wrong('timeZone', 'is not a time zone of the IANA list, such as Asia/Jakarta')
  if (!isCurrency(event.currency)) wrong('currency', 'is not a currency of ISO 4217, such as EUR')
  if (!isWithin(event.holdSeconds, HOLD_SECONDS.min, HOLD_SECONDS.max))
    wrong('holdSeconds', `must be a whole number from ${HOLD_SECONDS.min} to ${HOLD_SECONDS.max}`)
  if (!isWithin(event.maxSeatsPerBooking, 1)) wrong('maxSeatsPerBooking', 'must be at least 1')
  if (!isWithin(event.maxSeatsPerBuyer, 1)) wrong('maxSeatsPerBuyer', 'must be at least 1')
  else if (event.maxSeatsPerBooking > event.maxSeatsPerBuyer)
    wrong('maxSeatsPerBooking', 'must not be more than maxSeatsPerBuyer')
  return problems
}

/** Limits left unsaid follow the one that was said, so that naming one never makes the pair inconsistent. */
export function limitsOrDefaults(said: { maxSeatsPerBooking?: number; maxSeatsPerBuyer?: number }) {
  const { maxSeatsPerBooking: booking, maxSeatsPerBuyer: buyer } = said
  return {
    maxSeatsPerBooking: booking ?? Math.min(SEATS_PER_BOOKING_DEFAULT, buyer ?? SEATS_PER_BOOKING_DEFAULT),
    maxSeatsPerBuyer: buyer ?? Math.max(SEATS_PER_BUYER_DEFAULT, booking ?? SEATS_PER_BUYER_DEFAULT),
  }
}

function isInstant(value: Date): boolean {
  return !Number.isNaN(value.getTime()) && value.getUTCFullYear() <= YEAR_MAX
}

function isWithin(value: number, min: number, max = Number.MAX_SAFE_INTEGER): boolean {
  return Number.isInteger(value) && value >= min && value <= max
}

/** Intl also takes offsets such as +07:00, which are no zones: they know nothing of summer time. */
function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

const currencies = new Set(Intl.supportedValuesOf('currency'))
function isCurrency(code: string): boolean {
  return currencies.has(code)
}
