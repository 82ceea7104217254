// Owns what the sandbox tells by itself: each word on a charge is due to be told, again when nobody took it, then never.
import { sql } from 'drizzle-orm'
import { createBatches, onePer } from './batches.ts'
import type { Db, Reader } from './client.ts'
import type { ChargeOutcome } from './sandbox.ts'
import { sandboxCharges, sandboxKeys } from './schema.ts'
import { statement } from './statement.ts'

/** The buyer's own request is mostly faster; a real provider's word comes about as late. */
export const WEBHOOK_AFTER_MS = 500
/** Between two tries, twice as long each time. */
const RETRY_MS = 1_000
/** Two minutes of tries; the sweep of open payments asks by itself long before. */
export const WEBHOOK_ATTEMPTS_MAX = 7
const SECRET_BYTES = 32

export interface SandboxWebhook {
  /** The same at every try, so that a receiver knows it again. */
  id: string
  ref: string
  type: `charge.${ChargeOutcome}`
  /** Minor units. */
  amount: number
  metadata: Record<string, string>
}

/** Takes up to `limit` words that are due; each is due again later unless it is settled. Several senders may take at once. */
export async function claimSandboxWebhooks(db: Db, { limit }: { limit: number }): Promise<SandboxWebhook[]> {
  const rows = await db
    .update(sandboxCharges)
    .set({
      webhookAttempts: sql`${sandboxCharges.webhookAttempts} + 1`,
      webhookDueAt: sql`case when ${sandboxCharges.webhookAttempts} + 1 < ${WEBHOOK_ATTEMPTS_MAX}
        then now() + power(2, ${sandboxCharges.webhookAttempts}) * make_interval(secs => ${RETRY_MS / 1_000}) end`,
    })
    .where(
      sql`${sandboxCharges.ref} = any(array(select ref from sandbox_charges where webhook_due_at <= now()
        order by webhook_due_at limit ${limit}::int for update skip locked))`,
    )
    .returning({
      ref: sandboxCharges.ref,
      outcome: sandboxCharges.outcome,
      amount: sandboxCharges.amount,
      metadata: sandboxCharges.metadata,
    })
  return rows.map(({ ref, outcome, amount, metadata }) => ({
    id: `msg_${ref}`,
    ref,
    type: `charge.${outcome as ChargeOutcome}`,
    amount,
    metadata: metadata ?? {},
  }))
}

/** It was taken. Those that are taken at the same moment are noted together: a commit each was what a backlog cost most. */
export const settleSandboxWebhook = (db: Db, ref: string): Promise<void> => settleOne(db)(ref)

const settleOne = onePer((db: Db) =>
  createBatches<string, void>({
    name: 'the sandbox',
    run: async (refs) => {
      await settle(db, { refs: JSON.stringify(refs) })
      return refs.map(() => {})
    },
    inFlightMax: 1,
    weightMax: 100,
    waitingMax: 1_000,
    patienceMs: 5_000,
  }),
)

const settle = statement<'refs', never>(
  (value) => sql`
    update ${sandboxCharges} set webhook_due_at = null
    where ref = any(array(select jsonb_array_elements_text(${value('refs')}::text::jsonb)))`,
)

/** What both sides share; made when it is first asked for, by whoever asks first. */
export async function readSandboxSecret(db: Db): Promise<Uint8Array> {
  const known = await findSecret(db)
  if (known) return known
  const webhookSecret = crypto.getRandomValues(new Uint8Array(SECRET_BYTES))
  await db.insert(sandboxKeys).values({ webhookSecret }).onConflictDoNothing()
  return (await findSecret(db))!
}

const findSecret = async (reader: Reader) => (await reader.select().from(sandboxKeys))[0]?.webhookSecret
