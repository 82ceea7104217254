// Owns the sandbox provider: the outside world of the demo, with a book of its own that only it writes.
import { eq, inArray, sql } from 'drizzle-orm'
import { createBatches, onePer } from './batches.ts'
import type { Db } from './client.ts'
import { WEBHOOK_AFTER_MS } from './sandbox-webhooks.ts'
import { sandboxCharges } from './schema.ts'
import { statement } from './statement.ts'

export const SANDBOX = 'sandbox'
/** `sandbox_slow` answers after this, as a bank does that asks the buyer back. */
const SLOW_MS = 3_000

export type ChargeOutcome = 'captured' | 'declined'

export interface ChargeRequest {
  ref: string
  /** Minor units. */
  amount: number
  method: string
  /** Said again in every webhook; without it none is sent. */
  metadata?: Record<string, string> | null
}

/**
 * Charges once per `ref`, however often it is asked. `unknown` is an answer that was lost on the way: whether money
 * moved has to be asked with `findSandboxCharge`.
 */
export async function chargeSandbox(
  db: Db,
  { ref, amount, method, metadata = null }: ChargeRequest,
): Promise<ChargeOutcome | 'unknown'> {
  if (method === 'sandbox_slow') await Bun.sleep(SLOW_MS)
  const outcome = await record(db, {
    ref,
    amount,
    outcome: method === 'sandbox_declined' ? 'declined' : 'captured',
    metadata,
    tells: metadata !== null && method !== 'sandbox_lost_webhook',
  })
  return method === 'sandbox_lost_webhook' ? 'unknown' : outcome
}

/** What became of a charge; null when none was asked for. */
export async function findSandboxCharge(db: Db, ref: string): Promise<ChargeOutcome | null> {
  const [row] = await db
    .select({ outcome: sandboxCharges.outcome })
    .from(sandboxCharges)
    .where(eq(sandboxCharges.ref, ref))
  return (row?.outcome as ChargeOutcome | undefined) ?? null
}

/** Makes sure that a charge nobody asked for yet cannot be made later; says what it is now. */
export function voidSandboxCharge(db: Db, ref: string): Promise<ChargeOutcome> {
  return record(db, { ref, amount: 0, outcome: 'declined', metadata: null, tells: false })
}

/** Brings the refunded amount (minor units, in all) of a captured charge up to `refunded`; never lowers it. */
export async function refundSandboxCharge(db: Db, ref: string, refunded: number): Promise<void> {
  await db
    .update(sandboxCharges)
    .set({ refunded: sql`greatest(${sandboxCharges.refunded}, ${refunded}::bigint)` })
    .where(eq(sandboxCharges.ref, ref))
}

interface Charge {
  ref: string
  amount: number
  outcome: ChargeOutcome
  metadata: Record<string, string> | null
  /** By a webhook. */
  tells: boolean
}
/** Charges asked for at the same moment are written together. */
const RECORDS = {
  name: 'the sandbox',
  inFlightMax: 4,
  alongsideAfterMs: 25,
  weightMax: 100,
  waitingMax: 20_000,
  patienceMs: 5_000,
}
const recordOne = onePer((db: Db) =>
  createBatches<Charge, ChargeOutcome>({ ...RECORDS, run: (charges) => recordTogether(db, charges) }),
)

const record = (db: Db, charge: Charge): Promise<ChargeOutcome> => recordOne(db)(charge)

/** The first word on a charge stays. */
async function recordTogether(db: Db, charges: Charge[]): Promise<ChargeOutcome[]> {
  const said = await recordCharges(db, {
    charges: JSON.stringify(charges),
    webhookSeconds: WEBHOOK_AFTER_MS / 1_000,
  })
  const outcomes = new Map(said.map(({ ref, outcome }) => [ref, outcome]))
  const unseen = charges.map(({ ref }) => ref).filter((ref) => !outcomes.has(ref))
  // Written by another process while the statement ran, which saw nothing of it.
  if (unseen.length > 0) {
    const found = await db
      .select({ ref: sandboxCharges.ref, outcome: sandboxCharges.outcome })
      .from(sandboxCharges)
      .where(inArray(sandboxCharges.ref, unseen))
    for (const { ref, outcome } of found) outcomes.set(ref, outcome as ChargeOutcome)
  }
  return charges.map(({ ref }) => outcomes.get(ref)!)
}

const recordCharges = statement<'charges' | 'webhookSeconds', { ref: string; outcome: ChargeOutcome }>(
  (value) => sql`
    with charge as materialized (
      select * from jsonb_to_recordset(${value('charges')}::text::jsonb)
        as charge (ref text, amount bigint, outcome text, metadata jsonb, tells boolean)
    ), made as (
      insert into ${sandboxCharges} (ref, amount, outcome, metadata, webhook_due_at)
      select ref, amount, outcome, metadata,
        case when tells then now() + make_interval(secs => ${value('webhookSeconds')}::float8) end
      from charge on conflict do nothing
      returning ref, outcome
    )
    select ref, outcome from made
    union all
    select known.ref, known.outcome from charge
    cross join lateral (
      select ref, outcome from ${sandboxCharges} where ref = charge.ref offset 0) as known
    where (select count(*) from made) < (select count(*) from charge)`,
)
