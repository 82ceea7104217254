// Decides how a change of the line's flow reads: one plain sentence a step, with the figures that explain it.
import { m } from '#messages'
import type { RoomStatsView } from '../../server/protocol/http.ts'
import type { StepView } from '../../server/protocol/room-desk.ts'
import { formatShare } from './figure-text.ts'
import { formatCount } from './format.ts'

type Detail = Record<string, unknown>

/** The settings as their form names them. */
const SETTINGS: Record<string, () => string> = {
  enabled: m.setting_enabled,
  activeMax: m.setting_active_max,
  admitPerMinute: m.setting_rate,
  doorSeconds: m.setting_door,
  passSeconds: m.setting_pass,
  graceSeconds: m.setting_grace,
  priorityShare: m.setting_share,
  challenge: m.setting_challenge,
  lobbyAt: m.setting_lobby,
  onSaleAt: m.setting_sale,
}
const TIMES = new Set(['lobbyAt', 'onSaleAt'])
const PERMILLE = 1_000

const number = (detail: Detail, name: string): number | null =>
  typeof detail[name] === 'number' ? (detail[name] as number) : null

/** What happened, without its time. */
export function sayStep(step: StepView): string {
  const detail = step.detail ?? {}
  switch (step.kind) {
    case 'opened':
      return counted(number(detail, 'waiting'), m.step_opened, m.step_opened_waiting)
    case 'drawn':
      return counted(number(detail, 'entrants'), m.step_drawn, m.step_drawn_entrants)
    case 'called':
      return sayCalls(step)
    case 'paused':
      return m.step_paused()
    case 'resumed':
      return m.step_resumed()
    case 'limited':
      return sayLimit(detail)
    case 'unlimited':
      return detail.by === 'no_one' ? m.step_no_one_left() : m.step_unlimited()
    case 'settings':
      return saySettings(detail)
    case 'sold_out':
      return m.step_sold_out()
    case 'returned':
      return counted(number(detail, 'seatsFree'), m.step_returned, m.step_returned_free)
    case 'held':
      return m.step_held()
    case 'restored':
      return m.step_restored()
    case 'closed':
      return m.step_closed()
  }
}

/** What holds the line back at this moment. */
export function sayLimitNow(line: RoomStatsView): string {
  const { limit, brake, reason, active, called, door, perMinute, seatsLeft } = line
  return sayLimit({
    by: limit,
    brake,
    reason,
    door,
    perMinute,
    live: active,
    expected: called - door,
    seatsFree: seatsLeft,
  })
}

const counted = (
  count: number | null,
  plain: () => string,
  withCount: (told: { count: number; shown: string }) => string,
): string => (count === null ? plain() : withCount({ count, shown: formatCount(count) }))

function sayCalls({ called, claimed, noShows, active }: StepView): string {
  const parts = [
    ...(called > 0 ? [m.step_called({ count: called, shown: formatCount(called) })] : []),
    ...(claimed > 0 ? [m.step_came({ count: formatCount(claimed) })] : []),
    ...(noShows > 0 ? [m.step_missed({ count: formatCount(noShows) })] : []),
  ]
  return m.step_calls({ calls: parts.join(', ') || m.step_nobody_called(), active: formatCount(active) })
}

function sayLimit(detail: Detail): string {
  switch (detail.by) {
    case 'none':
      return m.step_limit_none()
    case 'active_max': {
      const figures = [
        ...figure(detail, 'live', m.step_at_seats),
        ...figure(detail, 'expected', m.step_expected),
        ...figure(detail, 'door', m.step_at_door),
      ].join(', ')
      return figures ? m.step_limit_full_of({ figures }) : m.step_limit_full()
    }
    case 'rate':
      return figure(detail, 'perMinute', m.step_limit_rate_of)[0] ?? m.step_limit_rate()
    case 'seats':
      return figure(detail, 'seatsFree', m.step_limit_seats_of)[0] ?? m.step_limit_seats()
    case 'health':
      return sayBrake(detail)
    case 'no_one':
      return m.step_limit_no_one()
    case 'paused':
      return m.step_limit_paused()
    case 'sold_out':
      return m.step_limit_sold_out()
    case 'held':
      return m.step_held()
    default:
      return m.step_limit_unknown()
  }
}

/** What is not known, or nobody, is left out. */
function figure(detail: Detail, name: string, say: (told: { count: string }) => string): string[] {
  const count = Math.round(number(detail, name) ?? 0)
  return count > 0 ? [say({ count: formatCount(count) })] : []
}

/** "Slowed to 60%: reservations take 900 ms." */
function sayBrake(detail: Detail): string {
  const brake = number(detail, 'brake')
  const reason = sayReason(detail.reason)
  if (brake === null) return reason ? m.step_slowed_by({ reason }) : m.step_slowed()
  const share = formatShare(brake)
  return reason ? m.step_slowed_to_by({ share, reason }) : m.step_slowed_to({ share })
}

/** The server's words for what is wrong with the seats' health: `latency:900`, `conflicts:0.35`, `errors:0.1`. */
function sayReason(reason: unknown): string {
  if (typeof reason !== 'string' || reason === '') return ''
  const [word, amount = ''] = reason.split(':', 2)
  const value = Number(amount)
  if (word === 'latency') return m.step_latency({ count: formatCount(value) })
  if (word === 'conflicts') return m.step_conflicts({ share: formatShare(value) })
  if (word === 'errors') return m.step_errors({ share: formatShare(value) })
  return reason
}

function saySettings(detail: Detail): string {
  const changes = Object.entries(detail).flatMap(([name, pair]) => {
    const words = SETTINGS[name]
    if (!words || !Array.isArray(pair)) return []
    const [was = '', is = ''] = pair.map((value) => saySetting(name, String(value ?? '')))
    return [m.step_change({ name: words(), was, is })]
  })
  return changes.length === 0 ? m.step_settings() : m.step_settings_of({ changes: changes.join(', ') })
}

function saySetting(name: string, value: string): string {
  if (name === 'enabled') return value === '1' ? m.step_on() : m.step_off()
  if (value === '') return name === 'admitPerMinute' ? m.step_no_limit() : m.step_nothing()
  if (TIMES.has(name))
    return `${new Date(Math.floor(Number(value) / PERMILLE) * PERMILLE).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  return /^\d+$/.test(value) ? formatCount(Number(value)) : value
}
