// Owns how a server asks the process that started it for a made-up crowd: three questions over loopback, and no code of it.
import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { Refusal } from '../errors.ts'
import { nullable, RehearsalProgress, RehearsalResult, words } from '../protocol/http.ts'

const TIMEOUT_MS = 5_000
const RETRY_AFTER_SECONDS = 10

/** What the crowd is told to do. */
export const RehearsalPlan = Type.Object({
  /** The copy. */
  eventId: Type.String(),
  of: Type.String(),
  ownerId: Type.String(),
  onSaleAt: Type.String(),
  buyers: Type.Integer({ minimum: 1 }),
  /** Each wants 1 to so many seats. */
  partyMax: Type.Integer({ minimum: 1 }),
  /** How long each looks at the map, on average. */
  thinkSeconds: Type.Number({ minimum: 0 }),
})
export type RehearsalPlan = Static<typeof RehearsalPlan>

/** What became of the latest one; `idle` when there was none. */
export const RehearsalRun = Type.Object({
  state: words(['idle', 'running', 'ended', 'stopped', 'failed'] as const),
  plan: nullable(RehearsalPlan),
  startedAt: nullable(Type.String()),
  progress: nullable(RehearsalProgress),
  result: nullable(RehearsalResult),
})
export type RehearsalRun = Static<typeof RehearsalRun>

/** `url` is an address only the two processes know. All throw `store_unavailable` when it does not answer. */
export function rehearsalDoor(url: string) {
  async function ask(method: string, body?: RehearsalPlan): Promise<{ status: number; run: RehearsalRun }> {
    const answer = await fetch(url, {
      method,
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch(() => null)
    const run: unknown = await answer?.json().catch(() => null)
    if (!answer || !Value.Check(RehearsalRun, run))
      throw new Refusal('store_unavailable', { message: 'What starts a rehearsal does not answer.' })
    return { status: answer.status, run }
  }
  return {
    look: async () => (await ask('GET')).run,
    /** Throws `overloaded` while another one is under way. */
    async start(plan: RehearsalPlan): Promise<RehearsalRun> {
      const { status, run } = await ask('POST', plan)
      if (status === 409) throw underWay()
      return run
    },
    stop: async () => (await ask('DELETE')).run,
  }
}

export const underWay = () =>
  new Refusal('overloaded', {
    message: 'A rehearsal is under way: one at a time.',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  })
