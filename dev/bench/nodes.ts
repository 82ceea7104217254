// Decides what `bench nodes` shows: a whole sale behind a proxy, on a Redis Cluster, while every server is restarted in
// turn, one is killed, and so is the master that holds the event. The crowd is our own, or k6's with `--scenario`.
import { parseArgs } from 'node:util'
import { runAudit } from '../../db/audit.ts'
import { connectRedis, redisReady } from '../../db/redis.ts'
import { blowRows, say, strike } from './nodes-blows.ts'
import { SEATS, sellToCrowd } from './nodes-crowd.ts'
import { sellToK6 } from './nodes-k6.ts'
import { NODE_TIMEOUT_MS, SERVERS, startNodes, type Nodes } from './nodes-stack.ts'
import type { Report, Row } from './report.ts'

const BUYERS = '400'
const SIZE = /^([A-Z][A-Z_]*)=(\d+)$/
const QUIET_WITHIN_MS = 30_000

/** `[--buyers N]`, or `--scenario full-onsale [-e NAME=NUMBER]…`; `--logs DIR` keeps what every process said. */
export async function bench(args: string[]): Promise<Report> {
  const { values } = parseArgs({
    args,
    options: {
      buyers: { type: 'string', default: BUYERS },
      scenario: { type: 'string' },
      size: { type: 'string', short: 'e', multiple: true, default: [] },
      logs: { type: 'string' },
    },
  })
  const buyers = Number(values.buyers)
  if (!Number.isInteger(buyers) || buyers < 1) throw new Error('--buyers must be a whole number above 0')
  const wrong = values.size.find((size) => !SIZE.test(size))
  if (wrong !== undefined) throw new Error(`-e ${wrong} is no NAME=NUMBER`)
  const sizes = Object.fromEntries(values.size.map((size) => size.split('=') as [string, string]))
  const { scenario } = values
  say('starting Postgres, three masters with a replica each, two servers, a proxy and a worker')
  const nodes = await startNodes(values.logs)
  try {
    const rows = await sell(nodes, () =>
      scenario === undefined ? sellToCrowd(nodes, buyers) : sellToK6(nodes, scenario, sizes),
    )
    const { proxy } = nodes
    const crowd = scenario === undefined ? { buyers, seats: SEATS } : { scenario, ...sizes }
    const options = { ...crowd, servers: SERVERS, proxy, nodeTimeoutMs: NODE_TIMEOUT_MS }
    return { bench: 'nodes', options, rows }
  } finally {
    await nodes.stop()
  }
}

async function sell(nodes: Nodes, open: () => ReturnType<typeof sellToCrowd>): Promise<Row[]> {
  const began = Date.now()
  const { eventId, over } = await open()
  const [blows, { admissions, rows }] = await Promise.all([strike(nodes, eventId), over])
  say(`the sale is over after ${((Date.now() - began) / 1_000).toFixed(0)} s; the audit`)
  return [...(await blowRows(nodes, eventId, blows, admissions)), ...rows, await auditRow(nodes)]
}

async function auditRow({ ledger, cluster }: Nodes): Promise<Row> {
  const redis = connectRedis(cluster.url, { role: 'subscriber', name: 'onsale-nodes' })
  try {
    await redisReady(redis)
    const deadline = Date.now() + QUIET_WITHIN_MS
    for (;;) {
      const results = await runAudit({ db: ledger.db, redis })
      const broken = results.filter(({ ok }) => !ok)
      if (broken.length > 0 && Date.now() < deadline) {
        await Bun.sleep(1_000)
        continue
      }
      const note = broken.map(({ id, sample }) => `${id}: ${sample.slice(0, 2).join('; ')}`).join(' | ')
      return {
        what: 'broken invariants',
        figures: [broken.length],
        unit: '',
        against: '0',
        ok: broken.length === 0,
        note,
      }
    }
  } finally {
    redis.disconnect()
  }
}
