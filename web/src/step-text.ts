// Decides how a change of the line's flow reads: one plain sentence a step, with the figures that explain it.
import type { RoomStatsView } from '../../server/protocol/http.ts'
import type { StepView } from '../../server/protocol/room-desk.ts'
import { formatCount, plural } from './format.ts'

type Detail = Record<string, unknown>

const SETTINGS: Record<string, string> = {
  enabled: 'Let buyers in by turn',
  activeMax: 'At the seats at the same time',
  admitPerMinute: 'Let in a minute',
  doorSeconds: 'Seconds at the door',
  passSeconds: 'Seconds at the seats',
  graceSeconds: 'Seconds a lost place is kept',
  priorityShare: 'Percent of admissions for guests',
  challenge: 'Proof of work',
  lobbyAt: 'Lobby opens',
  onSaleAt: 'Sale begins',
}
const TIMES = new Set(['lobbyAt', 'onSaleAt'])
const PERMILLE = 1_000

const percent = (share: number) => `${Math.round(share * 100)} %`
const number = (detail: Detail, name: string): number | null =>
  typeof detail[name] === 'number' ? (detail[name] as number) : null

/** What happened, without its time. */
export function sayStep(step: StepView): string {
  const detail = step.detail ?? {}
  switch (step.kind) {
    case 'opened':
      return `Opened${counted(number(detail, 'waiting'), 'person was waiting', 'people were waiting')}.`
    case 'drawn':
      return `Places were drawn${counted(number(detail, 'entrants'), 'person took part', 'people took part')}.`
    case 'called':
      return sayCalls(step)
    case 'paused':
      return 'Paused: nobody is let in; places, turns and time wait.'
    case 'resumed':
      return 'Went on after the pause.'
    case 'limited':
      return sayLimit(detail)
    case 'unlimited':
      return detail.by === 'no_one' ? 'Nobody is waiting any more.' : 'Nothing holds the line back any more.'
    case 'settings':
      return saySettings(detail)
    case 'sold_out':
      return 'Sold out: every seat is held or sold. Places are kept.'
    case 'returned':
      return `Seats came back${counted(number(detail, 'seatsFree'), 'is free', 'are free')}; the line moves again.`
    case 'held':
      return 'Holding: passes given out before the interruption may still be in use.'
    case 'restored':
      return 'Rebuilt after the line’s store was lost; everybody comes back to the same place.'
    case 'closed':
      return 'Closed: every place has ended; whoever was in may finish.'
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

const counted = (count: number | null, one: string, many: string) =>
  count === null ? '' : `; ${formatCount(count)} ${count === 1 ? one : many}`

function sayCalls({ called, claimed, noShows, active }: StepView): string {
  const parts = [
    ...(called > 0 ? [`called ${plural(called, 'person', 'people')}`] : []),
    ...(claimed > 0 ? [`${formatCount(claimed)} came in`] : []),
    ...(noShows > 0 ? [`${formatCount(noShows)} did not come`] : []),
  ]
  const text = parts.join(', ') || 'nobody was called'
  return `${text[0]!.toUpperCase()}${text.slice(1)}; ${formatCount(active)} at the seats.`
}

function sayLimit(detail: Detail): string {
  switch (detail.by) {
    case 'none':
      return 'Nothing holds the line back.'
    case 'active_max': {
      const there = figures(detail, [
        ['live', 'at the seats'],
        ['expected', 'called'],
        ['door', 'at the door'],
      ])
      return `Full: ${there ? `${there}, ` : ''}as many as you allow at the same time.`
    }
    case 'rate':
      return `As many as you allow a minute${after(figures(detail, [['perMinute', 'let in within the last one']]))}.`
    case 'seats':
      return `Only as many are called as may find a seat${after(figures(detail, [['seatsFree', 'free']]))}.`
    case 'health':
      return sayBrake(detail)
    case 'no_one':
      return 'Nobody is waiting.'
    case 'paused':
      return 'Paused.'
    case 'sold_out':
      return 'Sold out: nobody is let in until a seat comes back.'
    case 'held':
      return 'Holding: passes given out before an interruption may still be in use.'
    default:
      return 'The line is held back.'
  }
}

/** "3 at the seats, 5 called": what is not known, or nobody, is left out. */
const figures = (detail: Detail, names: [name: string, words: string][]): string =>
  names
    .flatMap(([name, words]) => {
      const count = Math.round(number(detail, name) ?? 0)
      return count > 0 ? [`${formatCount(count)} ${words}`] : []
    })
    .join(', ')
const after = (text: string) => (text === '' ? '' : `: ${text}`)

/** "Slowed to 60 %: reservations take 900 ms." */
function sayBrake(detail: Detail): string {
  const brake = number(detail, 'brake')
  const reason = sayReason(detail.reason)
  return `Slowed${brake === null ? '' : ` to ${percent(brake)}`}${reason ? `: ${reason}` : ''}.`
}

/** The server's words for what is wrong with the seats' health: `latency:900`, `conflicts:0.35`, `errors:0.1`. */
export function sayReason(reason: unknown): string {
  if (typeof reason !== 'string' || reason === '') return ''
  const [word, amount = ''] = reason.split(':', 2)
  const value = Number(amount)
  if (word === 'latency') return `reservations take ${formatCount(value)} ms`
  if (word === 'conflicts') return `${percent(value)} of the reservations meet a seat somebody else took`
  if (word === 'errors') return `${percent(value)} of the reservations fail`
  return reason
}

function saySettings(detail: Detail): string {
  const changes = Object.entries(detail).flatMap(([name, pair]) => {
    const words = SETTINGS[name]
    if (!words || !Array.isArray(pair)) return []
    const [was, is] = pair.map((value) => saySetting(name, String(value ?? '')))
    return [`“${words}” from ${was} to ${is}`]
  })
  return changes.length === 0 ? 'You changed the settings.' : `You changed ${changes.join(', ')}.`
}

function saySetting(name: string, value: string): string {
  if (name === 'enabled') return value === '1' ? 'on' : 'off'
  if (value === '') return name === 'admitPerMinute' ? 'no limit' : 'none'
  if (TIMES.has(name))
    return `${new Date(Math.floor(Number(value) / PERMILLE) * PERMILLE).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  return /^\d+$/.test(value) ? formatCount(Number(value)) : value
}
