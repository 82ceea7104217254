// Decides what is shown of the log of a room: what Postgres keeps, and before it what Redis has written since.
import { listSteps, type RoomStep, type StepAt } from '../../db/steps.ts'
import type { Context } from '../context.ts'
import type { Page } from '../protocol/http.ts'
import { STEP_KINDS, type StepKind, type StepView } from '../protocol/room-desk.ts'
import { roomKey } from './keys.ts'

const CURSOR = /^(\d{1,9})\.(\d{1,9})$/
const KINDS: ReadonlySet<string> = new Set(STEP_KINDS)
type Step = Omit<RoomStep, 'eventId'>

/** The newest first. `cursor` is the id of the last entry of the page before; null when it is none of ours. */
export async function readSteps(
  { ledger, redis }: Pick<Context, 'ledger' | 'redis'>,
  { eventId, limit, cursor }: { eventId: string; limit: number; cursor?: string | undefined },
): Promise<Page<StepView> | null> {
  const at = cursor === undefined ? null : CURSOR.exec(cursor)
  if (cursor !== undefined && at === null) return null
  const before = at ? { epoch: Number(at[1]), seq: Number(at[2]) } : undefined
  const [kept, fresh] = await Promise.all([
    listSteps(ledger.db, { eventId, before, limit: limit + 1 }),
    // Without Redis the log is some seconds old; it is still the log.
    freshSteps(redis, { eventId, before, limit: limit + 1 }).catch(() => []),
  ])
  const steps = new Map([...fresh, ...kept].filter(isBefore(before)).map((step) => [idOf(step), step]))
  const newest = [...steps.values()].toSorted((a, b) => b.epoch - a.epoch || b.seq - a.seq)
  const items = newest.slice(0, limit).map(stepView)
  return { items, nextCursor: newest.length > limit ? items.at(-1)!.id : null }
}

const idOf = ({ epoch, seq }: StepAt) => `${epoch}.${seq}`
const isBefore = (before: StepAt | undefined) => (step: StepAt) =>
  !before || step.epoch < before.epoch || (step.epoch === before.epoch && step.seq < before.seq)

/** The stream's ids are the steps' sequence. */
async function freshSteps(
  redis: Context['redis'],
  { eventId, before, limit }: { eventId: string; before?: StepAt | undefined; limit: number },
): Promise<Step[]> {
  const below = before ? `(${before.seq}-0` : '+'
  const entries = await redis.xrevrange(roomKey(eventId, 'steps'), below, '-', 'COUNT', limit)
  return entries.map(([, fields]) => {
    const step = JSON.parse(fields[1]!) as Omit<Step, 'at' | 'detail'> & { at: number; detail?: unknown }
    return { ...step, at: new Date(step.at), detail: step.detail ?? null }
  })
}

function stepView(step: Step): StepView {
  const { at, kind, serving, called, claimed, noShows, active, detail } = step
  return {
    id: idOf(step),
    at: at.toISOString(),
    kind: (KINDS.has(kind) ? kind : 'called') as StepKind,
    serving,
    called,
    claimed,
    noShows,
    active,
    detail: detail !== null && typeof detail === 'object' ? (detail as Record<string, unknown>) : null,
  }
}
