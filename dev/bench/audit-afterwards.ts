// Owns the audit of a stack's stores after what was done to them, as a sentence and as a row of a benchmark.
import { join } from 'node:path'
import type { RunFile } from '../up/run-file.ts'
import type { Row } from './report.ts'

const AUDIT = join(import.meta.dir, '../audit.ts')

/** What `npm run audit` says of the stack's stores: '' when no invariant is broken. */
export async function auditOf({ postgres, redis }: RunFile): Promise<string> {
  const audit = Bun.spawn([process.execPath, AUDIT], {
    env: { ...process.env, DATABASE_URL: postgres.url, REDIS_URL: redis.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said = await new Response(audit.stdout).text()
  if ((await audit.exited) === 0) return ''
  return said
    .split('\n')
    .filter((line) => line.includes('BROKEN'))
    .join('; ')
}

export async function auditRow(run: RunFile): Promise<Row> {
  const broken = await auditOf(run)
  return {
    what: 'audit afterwards',
    figures: [broken === '' ? 0 : broken.split('; ').length],
    unit: 'invariants broken',
    against: '0',
    ok: broken === '',
    ...(broken === '' ? {} : { note: broken }),
  }
}
