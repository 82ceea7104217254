// Decides what one worker process does: which jobs it takes, which rounds it repeats, and how all of it stops.
import { sweepingCancelled } from './cancel-event.ts'
import type { Context } from './context.ts'
import { startExpiring } from './expire-due.ts'
import { startLoop, type LoopPlan } from './loop.ts'
import { auditing, measuring, publishing, purging } from './measure.ts'
import { reconciling } from './reconcile-seats.ts'
import { relaying } from './relay-outbox.ts'
import { sendingWebhooks } from './send-webhooks.ts'
import { startMailing } from './send-email.ts'
import { startSettling, sweepingPayments } from './settle-payment.ts'
import { sweeping } from './sweep-expired.ts'

/** Jobs under way are given this long to end. */
const JOBS_WITHIN_MS = 8_000
/** Without Redis no job can say that it ended, and BullMQ's close never returns. */
const JOBS_WITHOUT_REDIS_MS = 5_000

export interface RunningWorker {
  /** Finishes what is under way; false when something had to be left to the next worker. */
  stop(): Promise<boolean>
}

const LOOPS: ((context: Context) => LoopPlan)[] = [
  relaying,
  sweeping,
  sweepingPayments,
  sendingWebhooks,
  sweepingCancelled,
  reconciling,
  purging,
  auditing,
  measuring,
  publishing,
]

export function startWorker(context: Context): RunningWorker {
  const workers = [startExpiring(context), startMailing(context), startSettling(context)]
  const loops = LOOPS.map((plan) => startLoop(context.telemetry, plan(context)))
  return {
    async stop() {
      const withinMs = context.queueRedis.status === 'ready' ? JOBS_WITHIN_MS : JOBS_WITHOUT_REDIS_MS
      const rounds = Promise.all(loops.map((loop) => loop.stop())).then(() => true)
      const ended = await Promise.all([
        Promise.race([rounds, Bun.sleep(withinMs).then(() => false)]),
        ...workers.map((worker) => worker.stop(withinMs)),
      ])
      return ended.every(Boolean)
    },
  }
}
