// Decides what the list of a line says of everybody who ever had a place in it. No addresses, no accounts.
import { csvRow, csvStream } from '../csv.ts'
import type { Line } from './room.ts'
import type { ServedAt } from './served-times.ts'

const COLUMNS = [
  'number',
  'place',
  'joined_at',
  'called_at',
  'admitted_at',
  'ended_at',
  'outcome',
  'priority',
  'deferred',
] as const
/** Entrants read by one script: some milliseconds of Redis. */
const ENTRANTS_PER_READ = 100
const FIELDS = 9

/** What lua/list-entrants.lua tells of one entrant: counts and seconds as text, '' = none. */
export interface ListedEntrant {
  number: number
  place: number | null
  outcome: string
  joinedMs: number
  /** Whole seconds since joining. */
  called: string
  admitted: string
  ended: string
  priority: boolean
  deferred: boolean
}

/**
 * Everybody whose number was given out before the download began, each once, in no order. Times in UTC, to the second.
 * `servedAt` is the log's word on when somebody was called; the memory beside it is one bit a number.
 */
export async function lineCsv(
  line: Pick<Line, 'look' | 'run'>,
  eventId: string,
  servedAt: ServedAt,
): Promise<ReadableStream<Uint8Array>> {
  const arrivals = (await line.look(eventId))?.arrivals ?? 0
  // A scan may tell an entrant twice while the hash grows.
  const told = new Uint8Array(Math.ceil(arrivals / 8))
  const isNew = (number: number) => {
    const [byte, bit] = [number >> 3, 1 << (number & 7)]
    if (number >= arrivals || (told[byte]! & bit) !== 0) return false
    told[byte]! |= bit
    return true
  }
  let cursor = '0'
  let over = arrivals === 0
  return csvStream(COLUMNS, async () => {
    if (over) return null
    const answer = await line.run('list-entrants', eventId, [cursor, ENTRANTS_PER_READ])
    const [word, next = '0', ...fields] = answer ?? ['unknown']
    cursor = next
    over = word !== 'listed' || cursor === '0'
    return entrantsIn(fields)
      .filter(({ number }) => isNew(number))
      .map((entrant) => entrantRow(entrant, servedAt))
      .join('')
  })
}

function entrantsIn(fields: string[]): ListedEntrant[] {
  return Array.from({ length: Math.floor(fields.length / FIELDS) }, (_, index) => {
    const at = index * FIELDS
    const [number, place, outcome, joined, called, admitted, ended, priority, deferred] = fields.slice(
      at,
      at + FIELDS,
    ) as [string, string, string, string, string, string, string, string, string]
    return {
      number: Number(number),
      place: place === '' ? null : Number(place),
      outcome,
      joinedMs: Number(joined),
      called,
      admitted,
      ended,
      priority: priority === '1',
      deferred: deferred === '1',
    }
  })
}

export function entrantRow(entrant: ListedEntrant, servedAt: ServedAt): string {
  const { number, place, outcome, joinedMs, priority, deferred } = entrant
  const time = (seconds: string) => (seconds === '' ? null : joinedMs + Number(seconds) * 1_000)
  const [admitted, ended] = [time(entrant.admitted), time(entrant.ended)]
  return csvRow([
    String(number),
    place === null ? '' : String(place),
    iso(joinedMs),
    iso(time(entrant.called) ?? calledAt({ place, outcome, joinedMs, admitted, ended }, servedAt)),
    iso(admitted),
    iso(ended),
    outcome,
    yesNo(priority),
    yesNo(deferred),
  ])
}

interface Course {
  place: number | null
  outcome: string
  joinedMs: number
  admitted: number | null
  ended: number | null
}

/** When the line came past the place; the log is written up to a second late, so an admission says more. */
function calledAt({ place, outcome, joinedMs, admitted, ended }: Course, servedAt: ServedAt): number | null {
  if (place === null || outcome === 'waiting') return null
  const served = servedAt(place)
  if (served === null || served < joinedMs) return admitted
  if (admitted !== null) return Math.min(served, admitted)
  // Who had left by then was passed over.
  return ended !== null && ended < served ? null : served
}

const yesNo = (yes: boolean) => (yes ? 'yes' : 'no')
const iso = (ms: number | null): string => (ms === null ? '' : `${new Date(ms).toISOString().slice(0, 19)}Z`)
