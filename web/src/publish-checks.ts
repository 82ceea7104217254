// Decides what is missing or risky before an event is published, each with the place where it is mended.
import { m } from '#messages'
import type { EventView, RoomSettingsView } from '../../server/protocol/http.ts'
import { formatCount, formatMoney, formatWhen, formatWhenHere, sayUnit } from './format.ts'

/** A blocker is refused by the server; a warning is advice; what is fine is said all the same. */
export type Level = 'blocker' | 'warning' | 'fine'
export interface PublishCheck {
  level: Level
  text: string
  /** Where it is mended, and its name; none for what only can be read. */
  href: string
  way: string
}

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY_MS = 24 * HOUR * 1_000
const FAR_MS = 2 * 366 * DAY_MS
/** From so many seats on, everybody at once is no pleasure. */
const BIG_HOUSE_SEATS = 500
/** Longer than an evening: people go to bed before it is sold. */
const SLOW_SECONDS = 6 * HOUR
const PASS_SHORT_SECONDS = 2 * MINUTE
const HOLD_SHORT_SECONDS = 2 * MINUTE
const HOLD_LONG_SECONDS = 30 * MINUTE
/** Of all seats: more in one hand looks like a mistake. */
const ONE_BUYER_SHARE = 0.2
const NAMES_MAX = 5

type Say = (level: Level, text: string, path: string, way: string) => PublishCheck

/**
 * Blockers first, then warnings, then what is in order.
 * @param room null while its settings are not known: what would be said of them is left out
 */
export function publishChecks(
  event: EventView,
  room: RoomSettingsView | null,
  nowMs: number,
): PublishCheck[] {
  const say: Say = (level, text, path, way) => ({
    level,
    text,
    href: `/organise/${event.id}/${path}`,
    way,
  })
  const checks = [
    ...seatChecks(event, say),
    ...timeChecks(event, nowMs, say),
    ...priceChecks(event, say),
    ...paceChecks(event, say),
    ...(room ? roomChecks(event, room, say) : []),
    ...(event.description.trim() === ''
      ? [say('warning', m.publish_no_words(), 'details?field=description', m.publish_go_words())]
      : []),
  ]
  const ORDER: Level[] = ['blocker', 'warning', 'fine']
  return checks.toSorted((a, b) => ORDER.indexOf(a.level) - ORDER.indexOf(b.level))
}

function seatChecks({ seats: { total, available } }: EventView, say: Say): PublishCheck[] {
  const way = m.publish_go_seats()
  if (total === 0) return [say('blocker', m.publish_no_seats(), 'seats', way)]
  return [
    ...(available === 0 ? [say('warning', m.publish_all_blocked(), 'block', m.publish_go_block())] : []),
    say('fine', m.publish_seats({ count: total, shown: formatCount(total) }), 'seats', way),
  ]
}

function timeChecks(event: EventView, nowMs: number, say: Say): PublishCheck[] {
  const { startsAt, onSaleAt, timeZone, status } = event
  const way = m.publish_go_when()
  const starts = formatWhen(startsAt, timeZone)
  const untilMs = Date.parse(startsAt) - nowMs
  const start = () => {
    if (status !== 'DRAFT') return say('fine', m.publish_starts({ time: starts }), 'when?field=startsAt', way)
    if (untilMs <= 0) return say('blocker', m.publish_started({ time: starts }), 'when?field=startsAt', way)
    if (untilMs < DAY_MS)
      return say('warning', m.publish_starts_soon({ time: starts }), 'when?field=startsAt', way)
    if (untilMs > FAR_MS)
      return say('warning', m.publish_starts_far({ time: starts }), 'when?field=startsAt', way)
    return say('fine', m.publish_starts({ time: starts }), 'when?field=startsAt', way)
  }
  const sale = () => {
    const at = 'when?field=onSaleAt'
    const begun = onSaleAt === null || Date.parse(onSaleAt) <= nowMs
    if (begun && status !== 'DRAFT') return say('fine', m.publish_on_sale(), at, way)
    if (onSaleAt === null) return say('warning', m.publish_sale_at_once(), at, way)
    if (begun) return say('warning', m.publish_sale_passed(), at, way)
    return say('fine', m.publish_sale({ time: formatWhen(onSaleAt, timeZone) }), at, way)
  }
  const here = formatWhenHere(onSaleAt ?? startsAt, timeZone)
  const said = { zone: timeZone.replaceAll('_', ' '), here: here ?? '' }
  const zone = onSaleAt === null ? m.publish_zone_start(said) : m.publish_zone(said)
  return [start(), sale(), ...(here === null ? [] : [say('warning', zone, 'when?field=timeZone', way)])]
}

function priceChecks({ tiers }: EventView, say: Say): PublishCheck[] {
  if (tiers.length === 0) return []
  const free = tiers.filter(({ price }) => price.amount === 0)
  const way = m.publish_go_seats()
  if (free.length > 0)
    return [say('warning', m.publish_free({ tiers: named(free.map(({ name }) => name)) }), 'seats', way)]
  const prices = named(tiers.map(({ name, price }) => `${name} ${formatMoney(price)}`))
  return [say('fine', m.publish_prices({ prices }), 'seats', way)]
}

/** A list of names, of which a thousand would say no more. */
const named = (names: string[]) =>
  names.slice(0, NAMES_MAX).join(', ') + (names.length > NAMES_MAX ? ' …' : '')

function paceChecks({ holdSeconds, maxSeatsPerBuyer, seats }: EventView, say: Say): PublishCheck[] {
  const way = m.publish_go_when()
  const time = sayTime(holdSeconds)
  const hold = () => {
    const at = 'when?field=holdSeconds'
    if (holdSeconds < HOLD_SHORT_SECONDS) return say('warning', m.publish_hold_short({ time }), at, way)
    if (holdSeconds > HOLD_LONG_SECONDS) return say('warning', m.publish_hold_long({ time }), at, way)
    return say('fine', m.publish_hold({ time }), at, way)
  }
  const few = seats.total > 1 && maxSeatsPerBuyer > seats.total * ONE_BUYER_SHARE
  const most = formatCount(Math.min(maxSeatsPerBuyer, seats.total))
  const said = m.publish_few_seats({ most, seats: formatCount(seats.total) })
  return [hold(), ...(few ? [say('warning', said, 'when?field=maxSeatsPerBuyer', way)] : [])]
}

function roomChecks(event: EventView, room: RoomSettingsView, say: Say): PublishCheck[] {
  const way = m.publish_go_room()
  const free = event.seats.available
  const seats = formatCount(free)
  if (!room.enabled)
    return [
      event.seats.total >= BIG_HOUSE_SEATS
        ? say('warning', m.publish_room_off({ seats: formatCount(event.seats.total) }), 'room', way)
        : say('fine', m.publish_room_off_small(), 'room', way),
    ]
  const count = formatCount(room.activeMax)
  const checks: PublishCheck[] = []
  const warn = (text: string) => void checks.push(say('warning', text, 'room', way))
  if (free > 0 && room.activeMax > free) warn(m.publish_room_wide({ count, seats }))
  // Were everybody to take as many as allowed: in truth it takes longer.
  const seconds = Math.ceil(free / (room.activeMax * event.maxSeatsPerBooking)) * room.passSeconds
  if (seconds > SLOW_SECONDS) warn(m.publish_room_slow({ count, seats, time: sayTime(seconds) }))
  const { admitPerMinute } = room
  const rated = admitPerMinute ? (free / (admitPerMinute * event.maxSeatsPerBooking)) * MINUTE : 0
  if (admitPerMinute && rated > SLOW_SECONDS)
    warn(m.publish_rate_slow({ count: formatCount(admitPerMinute), seats, time: sayTime(rated) }))
  if (room.passSeconds < PASS_SHORT_SECONDS) warn(m.publish_pass_short({ time: sayTime(room.passSeconds) }))
  if (checks.length === 0) checks.push(say('fine', m.publish_room_on({ count }), 'room', way))
  return checks
}

function sayTime(seconds: number): string {
  if (seconds >= 48 * HOUR) return sayUnit(Math.round(seconds / (24 * HOUR)), 'day')
  if (seconds >= 2 * HOUR) return sayUnit(Math.round(seconds / HOUR), 'hour')
  return seconds >= 2 * MINUTE ? sayUnit(Math.round(seconds / MINUTE), 'minute') : sayUnit(seconds, 'second')
}
