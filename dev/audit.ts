/** Owns `audit`: every invariant on the live stores, a line each; exit code 1 when one is broken. */
import { runAudit } from '../db/audit.ts'
import { connectLedger } from '../db/client.ts'
import { connectRedis, redisReady } from '../db/redis.ts'
import { requireDatabaseUrl, requireRedisUrl } from './live-stores.ts'

/** The checks read whole tables: longer than a request may take, but not for ever. */
const STATEMENT_TIMEOUT_MS = 120_000
const CONNECTIONS = 2
const SAMPLES_SHOWN = 3

const asJson = process.argv.includes('--json')
const ledger = connectLedger(requireDatabaseUrl(), {
  max: CONNECTIONS,
  name: 'onsale-audit',
  statementTimeoutMs: STATEMENT_TIMEOUT_MS,
})
const redis = connectRedis(requireRedisUrl(), { role: 'subscriber', name: 'onsale-audit' })
process.exit(await main())

async function main(): Promise<number> {
  try {
    await redisReady(redis)
    const lines = await runAudit({ db: ledger.db, redis })
    if (asJson) console.log(JSON.stringify(lines, null, 2))
    else for (const line of lines) print(line)
    return lines.every(({ ok }) => ok) ? 0 : 1
  } catch (error) {
    console.error(`The audit could not run: ${error instanceof Error ? error.message : String(error)}`)
    return 1
  } finally {
    redis.disconnect()
    await ledger.close()
  }
}

function print({ id, name, ok, violations, sample }: Awaited<ReturnType<typeof runAudit>>[number]) {
  console.log(`${id.padEnd(4)} ${ok ? 'ok    ' : 'BROKEN'} ${name}${ok ? '' : `: ${violations} violations`}`)
  const shown = Array.isArray(sample) ? sample.slice(0, SAMPLES_SHOWN) : []
  if (!ok)
    for (const one of shown) console.log(`       ${typeof one === 'string' ? one : JSON.stringify(one)}`)
}
