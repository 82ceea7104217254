// Owns the audit: whether every invariant (contract section 8) holds on the live stores, a line for each.
import { cacheCheck } from './audit/cache-check.ts'
import { LEDGER_CHECKS } from './audit/ledger-checks.ts'
import { checkRooms } from './audit/room-checks.ts'
import { countBroken, type AuditStores, type Broken } from './audit/broken.ts'

export interface AuditLine {
  id: string
  name: string
  ok: boolean
  violations: number
  /** A few of them, for a person to look at. */
  sample: string[]
  /** Of an audit that goes round: when the event was looked at that was looked at longest ago, ISO. */
  since?: string
}

/** Checks I1 to I12 one after another, each in one snapshot. Throws when a store does not answer. */
export async function runAudit(stores: AuditStores): Promise<AuditLine[]> {
  const lines: AuditLine[] = []
  for (const { id, name, broken } of LEDGER_CHECKS)
    lines.push(line(id, name, await countBroken(stores.db, broken)))
  lines.push(line(cacheCheck.id, cacheCheck.name, await cacheCheck.run(stores)))
  for (const { id, name, broken } of await checkRooms(stores)) lines.push(line(id, name, broken))
  return inOrder(lines)
}

export const inOrder = (lines: AuditLine[]): AuditLine[] =>
  lines.toSorted((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)))

export function line(id: string, name: string, { violations, sample }: Broken): AuditLine {
  return { id, name, ok: violations === 0, violations, sample }
}
