// Owns what this server hands to the ledger's moves: the database, the gate in Redis, and an ear for silent failures.
import type { Gate } from '../../db/bookings/gate.ts'
import type { Context } from '../context.ts'
import { faultFields } from '../log.ts'

/** Redis away means one failure a request; one line in a while says it. */
const FAULT_LOG_EVERY_MS = 5_000

type Needs = Pick<Context, 'ledger' | 'redis' | 'log'>
const gates = new WeakMap<Needs['ledger'], Gate>()

export function gateOf(context: Needs): Gate {
  const known = gates.get(context.ledger)
  if (known) return known
  const said = new Map<string, number>()
  const gate: Gate = {
    db: context.ledger.db,
    redis: context.redis,
    onFault(what, fault) {
      if (Date.now() - (said.get(what) ?? 0) < FAULT_LOG_EVERY_MS) return
      said.set(what, Date.now())
      context.log.warn(what, faultFields(fault))
    },
  }
  gates.set(context.ledger, gate)
  return gate
}
