// Decides what `bench ledger` measures and what is asked of each figure: holds, hot seats, payments, reads, life without Redis.
import { parseArgs } from 'node:util'
import { auditRow } from './audit-afterwards.ts'
import { bareAnswers, openReference, type Reference } from './ledger-references.ts'
import { bareGets, confirmations, holds, holdsAlone, hotSeats, reads, type Run } from './ledger-runs.ts'
import { frozen, startLedgerStack, type LedgerStack } from './ledger-stack.ts'
import { median, type Report, type Row } from './report.ts'

const HOLDS_TO_FIVE = 2.5
const HOLDS_TO_ONE = 1
const ALONE_TO_FIVE = 1
const PACED_P99_MS = 50
const HOT_PER_SECOND = 25_000
const HOT_TO_BARE = 0.6
const CONFIRMS_TO_FIVE = 1
const READS_TO_BARE = 0.8
const WITHOUT_REDIS_SHARE = 0.25
const [FEW, MANY] = [64, 250]
const ROUNDS = 100
const LIST_HALL = 20_000
/** Before the audit the worker sends what gathered while it rested, for so long at the most. */
const CATCH_UP_MS = 300_000
const POLL_MS = 1_000
/** The feed and the reconciling have the last word of the cache within this. */
const SETTLE_MS = 5_000
/** limits.md of the study before this program: the same hardware, the program before this one, requests a second. */
const PREDECESSOR = { holds64: 184, holds250: 186, hot: 331, confirms: 143, reads: 3_148 }

interface Plan {
  servers: number
  repetitions: number
  seconds: number
  /** Requests a round of the hot seat. */
  perRound: number
  payments: number
}

interface Bench {
  plan: Plan
  stack: LedgerStack
  reference: Reference
}

const say = (sentence: string) => console.error(`bench ledger: ${sentence}`)

export async function bench(args: string[]): Promise<Report> {
  const plan = readPlan(args)
  say('starting a stack of its own')
  const stack = await startLedgerStack(plan.servers)
  try {
    const reference = await openReference(stack.run.postgres.url)
    const [{ version } = { version: '' }] = await stack.ledger.sql<{ version: string }[]>`
      select current_setting('server_version') as version`
    const run = { plan, stack, reference }
    const rows = await stack.withoutWorker(async () => {
      await warmUp(run)
      const measured = await holdRows(run)
      measured.push(await hotRow(run), ...(await confirmRows(run)), ...(await readRows(run)))
      // Under the same conditions as the row it is measured against: a worker that comes back now has minutes to catch up.
      return [...measured, await withoutRedisRow(run, measured[0]!)]
    })
    await reference.close()
    rows.push(await audited(stack))
    const note = `worker stopped meanwhile, rate limits off; ${plan.servers} server processes, the stores and the generator share the machine; CPU in µs an answer`
    return { bench: 'ledger', options: { ...plan, note }, versions: { PostgreSQL: version }, rows }
  } finally {
    await stack.stop()
  }
}

function readPlan(args: string[]): Plan {
  const { values } = parseArgs({
    args,
    options: {
      full: { type: 'boolean', default: false },
      servers: { type: 'string', default: '2' },
      seconds: { type: 'string' },
      repetitions: { type: 'string' },
    },
  })
  const servers = Number(values.servers)
  const seconds = Number(values.seconds ?? (values.full ? 8 : 2))
  if (!Number.isInteger(servers) || servers < 1) throw new Error('--servers must be a number above 0')
  if (!(seconds > 0)) throw new Error('--seconds must be a number above 0')
  const size = values.full
    ? { repetitions: 5, perRound: 1_000, payments: 20_000 }
    : { repetitions: 3, perRound: 250, payments: 4_000 }
  const repetitions = Number(values.repetitions ?? size.repetitions)
  if (!Number.isInteger(repetitions) || repetitions < 1)
    throw new Error('--repetitions must be a number above 0')
  return { servers, seconds, ...size, repetitions }
}

/** Code that ran a few thousand times is fast; the first seconds of a process are another matter. */
async function warmUp({ stack, plan: { seconds } }: Bench): Promise<void> {
  say('warming up')
  await holds(stack, { connections: FEW, seconds: 2 * seconds })
  await hotSeats(stack, { connections: FEW, rounds: 10, perRound: 500 })
  await confirmations(stack, { connections: FEW, count: 2_000 })
}

/** The references before, between and after: the machine is never quite the same for a whole run. */
async function holdRows({ stack, reference, plan }: Bench): Promise<Row[]> {
  const { seconds, repetitions } = plan
  const five: number[] = []
  const one: number[] = []
  const few: Run[] = []
  const many: Run[] = []
  const alone: number[] = []
  for (let at = 1; at <= repetitions; at++) {
    say(`holds, ${at} of ${repetitions}`)
    five.push(await reference.five(seconds))
    few.push(await holds(stack, { connections: FEW, seconds }))
    one.push(await reference.one(seconds))
    many.push(await holds(stack, { connections: MANY, seconds }))
    alone.push(await holdsAlone(stack, seconds))
  }
  say('holds at half of the peak')
  const peak = Math.max(median(few.map(rateOf)), median(many.map(rateOf)))
  const paced: Run[] = []
  for (let at = 1; at <= repetitions; at++)
    paced.push(await holds(stack, { connections: MANY, seconds, perSecond: peak / 2 }))
  const row = (connections: number, runs: Run[], predecessor: number): Row => {
    const rates = runs.map(rateOf)
    const [toFive, toOne] = [median(ratios(rates, five)), median(ratios(rates, one))]
    return {
      what: `holds of distinct seats, ${connections} connections`,
      figures: rates,
      unit: '/s',
      against: `× ${toFive.toFixed(2)} five statements (${HOLDS_TO_FIVE}), × ${toOne.toFixed(2)} one (${HOLDS_TO_ONE})`,
      ok: toFive >= HOLDS_TO_FIVE && toOne >= HOLDS_TO_ONE && runs.every(isClean),
      note: conditions(runs, predecessor),
    }
  }
  const aloneToFive = median(ratios(alone, five))
  return [
    row(FEW, few, PREDECESSOR.holds64),
    row(MANY, many, PREDECESSOR.holds250),
    { what: 'reference: five statements', figures: five, unit: '/s', ok: null, note: reference.by },
    { what: 'reference: one statement', figures: one, unit: '/s', ok: null, note: reference.by },
    {
      what: 'holds, each in a transaction of its own',
      figures: alone,
      unit: '/s',
      against: `× ${aloneToFive.toFixed(2)} five statements (${ALONE_TO_FIVE})`,
      ok: aloneToFive >= ALONE_TO_FIVE,
      note: 'in one process, without HTTP',
    },
    {
      what: `99 % of holds at ${Math.round(peak / 2)}/s, half of the peak`,
      figures: paced.map(({ p99 }) => p99),
      unit: 'ms',
      against: `${PACED_P99_MS} ms`,
      ok: median(paced.map(({ p99 }) => p99)) <= PACED_P99_MS && paced.every(isClean),
      note: conditions(paced),
    },
  ]
}

async function hotRow({ stack, plan }: Bench): Promise<Row> {
  const { repetitions, perRound, seconds } = plan
  const runs: Awaited<ReturnType<typeof hotSeats>>[] = []
  const bare: Run[] = []
  for (let at = 1; at <= repetitions; at++) {
    say(`a hot seat, ${at} of ${repetitions}`)
    bare.push(await bareGets(stack, { connections: MANY, seconds }))
    runs.push(await hotSeats(stack, { connections: MANY, rounds: ROUNDS, perRound }))
  }
  const rates = runs.map(rateOf)
  const share = median(rates.map((rate, at) => rate / bare[at]!.rate))
  const single = runs.every(({ winners }) => winners.every((count) => count === 1))
  return {
    what: `refusals of a hot seat, ${MANY} buyers, ${ROUNDS} seats`,
    figures: rates,
    unit: '/s',
    against: `× ${share.toFixed(2)} authenticated GET ${Math.round(median(bare.map(rateOf)))}/s (${HOT_TO_BARE}), or ${HOT_PER_SECOND}/s`,
    ok: single && (share >= HOT_TO_BARE || median(rates) >= HOT_PER_SECOND) && runs.every(isClean),
    note: `${single ? 'one winner each time' : 'NOT one winner each time'}; ${conditions(runs, PREDECESSOR.hot)}`,
  }
}

async function confirmRows({ stack, reference, plan }: Bench): Promise<Row[]> {
  const five: number[] = []
  const few: Run[] = []
  const many: Run[] = []
  for (let at = 1; at <= plan.repetitions; at++) {
    say(`confirmations, ${at} of ${plan.repetitions}`)
    five.push(await reference.five(plan.seconds))
    few.push(await confirmations(stack, { connections: FEW, count: plan.payments }))
    many.push(await confirmations(stack, { connections: MANY, count: plan.payments }))
  }
  const row = (connections: number, runs: Run[]): Row => {
    const rates = runs.map(rateOf)
    const toFive = median(ratios(rates, five))
    return {
      what: `confirmations, ${connections} connections`,
      figures: rates,
      unit: '/s',
      against: `× ${toFive.toFixed(2)} five statements (${CONFIRMS_TO_FIVE})`,
      ok: toFive >= CONFIRMS_TO_FIVE && runs.every(isClean),
      note: conditions(runs, PREDECESSOR.confirms),
    }
  }
  return [row(FEW, few), row(MANY, many)]
}

async function readRows({ stack, plan }: Bench): Promise<Row[]> {
  const pace = { connections: FEW, seconds: plan.seconds }
  const hall = await stack.openHall(LIST_HALL)
  const paths = { availability: `/event/${hall}/availability`, 'seat list': `/booking?eventId=${hall}` }
  const rows: Row[] = []
  for (const [what, path] of Object.entries(paths)) {
    say(what)
    const runs: Awaited<ReturnType<typeof reads>>[] = []
    const bare: number[] = []
    for (let at = 1; at <= plan.repetitions; at++) {
      runs.push(await reads(stack, path, pace))
      bare.push(await bareAnswers(runs[0]!.bytes, { ...pace, servers: plan.servers }))
    }
    const rates = runs.map(rateOf)
    const share = median(rates.map((rate, at) => rate / bare[at]!))
    rows.push({
      what: `${what} of ${LIST_HALL.toLocaleString('en')} seats, ${FEW} connections`,
      figures: rates,
      unit: '/s',
      against: `× ${share.toFixed(2)} a bare Bun.serve ${Math.round(median(bare))}/s (${READS_TO_BARE})`,
      ok: share >= READS_TO_BARE && runs.every(isClean),
      note: `${runs[0]!.bytes} bytes, ${plan.servers} bare processes; ${conditions(runs, what === 'seat list' ? PREDECESSOR.reads : undefined)}`,
    })
  }
  return rows
}

/** Redis stands still, so that nothing starts it again. */
async function withoutRedisRow({ stack, plan }: Bench, normal: Row): Promise<Row> {
  const { repetitions, seconds } = plan
  say('without Redis')
  const runs: Run[] = []
  await frozen(stack.run.redis.pid!, async () => {
    for (let at = 1; at <= repetitions; at++)
      runs.push(await holds(stack, { connections: FEW, seconds }, true))
  })
  const rates = runs.map(rateOf)
  const share = median(rates) / median(normal.figures)
  return {
    what: `holds without Redis, ${FEW} connections`,
    figures: rates,
    unit: '/s',
    against: `× ${share.toFixed(2)} of with it (${WITHOUT_REDIS_SHARE}), nothing but 201 and 503`,
    ok: share >= WITHOUT_REDIS_SHARE && runs.every(isClean),
    note: conditions(runs),
  }
}

async function audited({ run, ledger }: LedgerStack): Promise<Row> {
  say('the worker catches up')
  const deadline = Date.now() + CATCH_UP_MS
  const waiting = () => ledger.sql`select from outbox where settled_at is null limit 1`
  while ((await waiting()).length > 0 && Date.now() < deadline) await Bun.sleep(POLL_MS)
  await Bun.sleep(SETTLE_MS)
  say('audit')
  return auditRow(run)
}

/** Each against the reference of its own repetition. */
const ratios = (rates: number[], to: number[]) => rates.map((rate, at) => rate / to[at]!)
const rateOf = ({ rate }: Run) => rate
const isClean = ({ unmeant }: Run) => unmeant === ''

function conditions(runs: Run[], predecessor?: number): string {
  const of = (pick: (run: Run) => number) => median(runs.map(pick))
  const unmeant = runs.map((run) => run.unmeant).filter(Boolean)
  const cpu = Object.keys(runs[0]!.micros).map((name) => {
    const [micros, cores] = [of((run) => run.micros[name]!), of((run) => run.cores[name]!)]
    return `${name} ${micros.toFixed(0)} µs (${cores.toFixed(2)} cores)`
  })
  return [
    `p50 ${of(({ p50 }) => p50).toFixed(1)} p95 ${of(({ p95 }) => p95).toFixed(1)} p99 ${of(({ p99 }) => p99).toFixed(1)} ms`,
    `CPU: ${cpu.join(', ')}`,
    ...(predecessor === undefined
      ? []
      : [`predecessor ${predecessor}/s, × ${(of(rateOf) / predecessor).toFixed(1)}`]),
    ...(unmeant.length > 0 ? [`NOT MEANT: ${unmeant.join('; ')}`] : []),
  ].join('; ')
}
