// Decides how a time typed in an event's own zone becomes an instant, and an instant such a time again.

/** "2027-04-15T20:00" as a clock in the zone shows it; '' for none. The form that `datetime-local` speaks. */
export function wallTime(at: string | null, timeZone: string): string {
  if (at === null) return ''
  return new Date(Date.parse(at) + offsetMs(Date.parse(at), timeZone)).toISOString().slice(0, 16)
}

/**
 * The instant (ISO 8601, UTC) at which a clock in the zone shows `wall`; null for an empty or unreadable one. A time
 * that the clocks skip in spring is read as if they had not yet been put forward.
 */
export function instantOf(wall: string, timeZone: string): string | null {
  const asUtc = Date.parse(`${wall}Z`)
  if (wall === '' || Number.isNaN(asUtc)) return null
  // The offset belongs to the instant sought, which is only known by it: twice is enough around a change of clocks.
  const near = asUtc - offsetMs(asUtc, timeZone)
  return new Date(asUtc - offsetMs(near, timeZone)).toISOString()
}

/** Local time less UTC, in ms, at this instant. */
function offsetMs(at: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at)
  const part = (type: Intl.DateTimeFormatPartTypes) => Number(parts.find((one) => one.type === type)?.value)
  const local = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  )
  return local - Math.floor(at / 1_000) * 1_000
}

/** Every zone the browser knows, the universal one among them. */
export const timeZones = (): string[] => {
  const known = Intl.supportedValuesOf('timeZone')
  return known.includes('UTC') ? known : [...known, 'UTC']
}
