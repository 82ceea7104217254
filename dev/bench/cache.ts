// Decides what `bench cache` measures: a sale that goes on while Redis loses, falsifies or refuses everything.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { connectRedis, redisReady, type RedisClient } from '../../db/redis.ts'
import { seatStatusKey } from '../../db/seat-gate/keys.ts'
import { watchCache } from './cache-watch.ts'
import { sellThrough, type Through } from './cache-sale.ts'
import { auditOf } from './audit-afterwards.ts'
import { frozen, startLedgerStack, type LedgerStack } from './ledger-stack.ts'
import type { Report, Row } from './report.ts'

const SERVERS = 2
const BUYERS = 1_000
const SEATS = 20_000
const SECONDS = 14
/** The sale is well under way by then. */
const FAULT_AFTER_MS = 4_000
/** How long Redis is away altogether. */
const AWAY_MS = 6_000
const RIGHT_WITHIN_S = 5
/** What a look at the whole cache may come too late. */
const LOOK_S = 1
const SETTLE_MS = 6_000
const KEYS_AT_ONCE = 1_000

interface Fault {
  what: string
  happen(stack: LedgerStack, redis: RedisClient, eventId: string): Promise<void>
}

const FAULTS: Fault[] = [
  { what: 'FLUSHALL', happen: async (_stack, redis) => void (await redis.flushall()) },
  { what: 'every seat written back as free', happen: (_stack, redis, eventId) => falsify(redis, eventId) },
  { what: 'Redis killed, back empty', happen: killAndForget },
  {
    what: `no Redis for ${AWAY_MS / 1_000} s`,
    happen: ({ run }) => frozen(run.redis.pid!, () => Bun.sleep(AWAY_MS)),
  },
]

const say = (sentence: string) => console.error(`bench cache: ${sentence}`)

export async function bench(args: string[]): Promise<Report> {
  const { values } = parseArgs({
    args,
    options: { buyers: { type: 'string', default: `${BUYERS}` }, only: { type: 'string', default: '' } },
  })
  const buyers = Number(values.buyers)
  if (!(buyers >= 1)) throw new Error('--buyers must be a number above 0')
  const rows: Row[] = []
  for (const fault of FAULTS.filter(({ what }) => what.includes(values.only))) {
    say(fault.what)
    // Each on a stack of its own: what one loss leaves behind is no part of the next.
    const stack = await startLedgerStack(SERVERS)
    try {
      rows.push(...(await lose(stack, fault, buyers)))
    } finally {
      await stack.stop()
    }
  }
  return { bench: 'cache', options: { servers: SERVERS, buyers, seats: SEATS }, rows }
}

async function lose(stack: LedgerStack, { what, happen }: Fault, buyers: number): Promise<Row[]> {
  const eventId = await stack.openHall(SEATS)
  const redis = connectRedis(stack.run.redis.url, { role: 'commands', name: 'bench' })
  await redisReady(redis)
  const watch = watchCache({ db: stack.ledger.db, redis }, eventId)
  try {
    const sale = sellThrough(stack, { eventId, seats: SEATS, buyers, seconds: SECONDS })
    await Bun.sleep(FAULT_AFTER_MS)
    const before = sale.holds()
    const began = performance.now()
    await happen(stack, redis, eventId)
    const back = performance.now()
    const during = sale.holds() - before
    const sold = await sale.over
    await Bun.sleep(SETTLE_MS)
    const { longestS, looks, left } = watch.stop()
    const broken = await auditOf(stack.run)
    return [
      saleRow(what, sold, [
        `${Math.round(before / (FAULT_AFTER_MS / 1_000))} holds/s before`,
        ...(back - began > 1_000 ? [`${Math.round((1_000 * during) / (back - began))}/s meanwhile`] : []),
        `${Math.round((sold.holds - before - during) / (SECONDS - FAULT_AFTER_MS / 1_000 - (back - began) / 1_000))}/s after`,
      ]),
      {
        what: `${what}: longest time the cache said something else than Postgres of one seat`,
        figures: [longestS],
        unit: 's',
        against: `${RIGHT_WITHIN_S} s, looked at each second`,
        ok: longestS <= RIGHT_WITHIN_S + LOOK_S && left === 0 && broken === '',
        note: `${looks} looks at ${SEATS} seats, ${left} wrong at the end; audit ${broken === '' ? 'clean' : broken}`,
      },
    ]
  } finally {
    watch.stop()
    redis.disconnect()
  }
}

function saleRow(what: string, { holds, twice, unavailable, unmeant, paid }: Through, rates: string[]): Row {
  return {
    what: `${what}: seats sold to two buyers`,
    figures: [twice],
    unit: 'seats',
    against: '0, and no 5xx but a stated 503',
    ok: twice === 0 && unmeant === '',
    note: `${holds} holds, ${paid} paid, ${unavailable} × 503; ${rates.join(', ')}${unmeant && `; NOT MEANT: ${unmeant}`}`,
  }
}

/** What an old copy of the cache would say: that nothing was ever moved. */
async function falsify(redis: RedisClient, eventId: string): Promise<void> {
  for (let from = 0; from < SEATS; from += KEYS_AT_ONCE) {
    const seats = Array.from({ length: Math.min(KEYS_AT_ONCE, SEATS - from) }, (_, i) => from + i)
    await redis.mset(...seats.flatMap((n) => [seatStatusKey(eventId, n), 'AVAILABLE:0']))
  }
}

async function killAndForget({ run }: LedgerStack, redis: RedisClient): Promise<void> {
  const [, dir] = (await redis.config('GET', 'dir')) as [string, string]
  process.kill(run.redis.pid!, 'SIGKILL')
  rmSync(join(dir, 'appendonlydir'), { recursive: true, force: true })
  rmSync(join(dir, 'dump.rdb'), { force: true })
}
