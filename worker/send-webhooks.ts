// Decides how the sandbox's word on a charge reaches the server: signed, a few times, and never instead of the sweep.
import {
  claimSandboxWebhooks,
  readSandboxSecret,
  settleSandboxWebhook,
  type SandboxWebhook,
} from '../db/sandbox-webhooks.ts'
import { signWebhook, WEBHOOK_HEADERS } from '../db/webhook-signature.ts'
import type { Context } from './context.ts'
import type { LoopPlan } from './loop.ts'

const PACE_MS = 250
/** Told at the same time; what is more waits for the next round. */
const BATCH = 20
/** A server that takes longer has heard it or will hear it again. */
const ANSWER_WITHIN_MS = 3_000

/** The sandbox is the world outside; it is at home in the worker so that a machine needs no further process. */
export function sendingWebhooks({ ledger, config, telemetry }: Context): LoopPlan {
  let secret: Uint8Array | null = null
  return {
    name: 'send-webhooks',
    paceMs: PACE_MS,
    round: async () => {
      const due = await claimSandboxWebhooks(ledger.db, { limit: BATCH })
      if (due.length === 0) return false
      secret ??= await readSandboxSecret(ledger.db)
      const key = secret
      await Promise.all(
        due.map(async (webhook) => {
          const taken = await post(config.sandboxWebhookUrl, key, webhook)
          telemetry.webhookSent({ ref: webhook.ref, taken })
          if (taken) await settleSandboxWebhook(ledger.db, webhook.ref)
        }),
      )
      return due.length === BATCH
    },
  }
}

/** Whether somebody took it. */
async function post(url: string, secret: Uint8Array, webhook: SandboxWebhook): Promise<boolean> {
  const { id, type, ref, amount, metadata } = webhook
  const timestamp = Math.floor(Date.now() / 1_000)
  const body = JSON.stringify({
    type,
    timestamp: new Date().toISOString(),
    data: { ref, amount, metadata },
  })
  const headers = {
    'content-type': 'application/json',
    [WEBHOOK_HEADERS.id]: id,
    [WEBHOOK_HEADERS.timestamp]: String(timestamp),
    [WEBHOOK_HEADERS.signature]: signWebhook(secret, { id, timestamp, body }),
  }
  try {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS)
    return (await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' })).ok
  } catch {
    return false
  }
}
