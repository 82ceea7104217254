// Owns what audits found: each result as it was, for a week.
import { desc, sql } from 'drizzle-orm'
import type { AuditLine } from '../audit.ts'
import type { Db, Reader } from '../client.ts'
import { audits } from '../schema.ts'

const KEPT_DAYS = 7

export interface AuditResult {
  at: Date
  tookMs: number
  /** Of all invariants together. */
  violations: number
  lines: AuditLine[]
}

export async function saveAudit(db: Db, { tookMs, lines }: { tookMs: number; lines: AuditLine[] }) {
  const violations = lines.reduce((sum, line) => sum + line.violations, 0)
  await db.insert(audits).values({ tookMs: Math.round(tookMs), violations, lines })
}

/** Null while there was no audit yet. */
export async function findLastAudit(reader: Reader): Promise<AuditResult | null> {
  const [row] = await reader
    .select({ at: audits.at, tookMs: audits.tookMs, violations: audits.violations, lines: audits.lines })
    .from(audits)
    .orderBy(desc(audits.id))
    .limit(1)
  return row ?? null
}

export async function deleteOldAudits(db: Db): Promise<void> {
  await db.delete(audits).where(sql`${audits.at} < now() - make_interval(days => ${KEPT_DAYS})`)
}
