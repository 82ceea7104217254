/** Owns `rehearse`: the planned sale on a copy of the event, faster than on the day and with faults, and go or no-go. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { connectLedger, type Ledger } from '../db/client.ts'
import type { FlowLimit } from '../server/protocol/codes.ts'
import { auditOf } from './bench/ledger-stack.ts'
import { measureCpu } from './bench/processes.ts'
import type { CrowdProgress, CrowdReport } from './crowd/report.ts'
import { dataDirOf } from './live-stores.ts'
import { doubleWebhooks, killRedis, LOST_SHARE } from './rehearse/faults.ts'
import { castShadow, signIn, type Shadow } from './rehearse/shadow.ts'
import { judge, type Rehearsed } from './rehearse/verdict.ts'
import { drawVerdict } from './rehearse/words.ts'
import { findRunFile, type RunFile } from './up/run-file.ts'

const USAGE = `rehearse -- --event ID --buyers N [--speed 10]
  --event ID    the event to rehearse (default: the demo's); only a copy of it is sold
  --buyers N    how many come, 1 to 20000 (default 1000)
  --speed N     so many times as fast as on the day, 1 to 60 (default 10)
  --look S      seconds a buyer looks at the map on the day, half of it again before paying (default 60)
  --minutes N   on the day, after which the rehearsal ends (default 60)
  --no-faults   nothing goes wrong on purpose`

const MOST_BUYERS = 20_000
const MOST_SPEED = 60
const LOBBY_MS = 5_000
const ARRIVALS_A_SECOND = 250
const PATIENCE_SECONDS = 240
const PAY_SHARE = 0.93
const PARTY_MAX = 4
const STATS_EVERY_MS = 1_000
/** Of the expected line: Redis dies when so much of the crowd has been let in. */
const REDIS_DIES_AT = 0.3
const SETTLE_MS = 40_000
const POLL_MS = 500

/** When the crowd set out, ms. */
let began = 0

const options = readOptions()
process.exit(await main())

async function main(): Promise<number> {
  const dataDir = dataDirOf(process.env)
  const run = findRunFile(dataDir)
  if (run === null) return refuse('Nothing runs here: start Onsale with `npm start`, then rehearse.')
  const admin = run.demo?.accounts.find(({ role }) => role === 'ADMIN')
  if (!run.demo || !admin || run.postgres.pid === null || run.redis.pid === null)
    return refuse('A rehearsal makes up its buyers and kills Redis: it needs a demo on stores of its own.')
  const ledger = connectLedger(run.postgres.url, { max: 2, name: 'onsale-rehearse' })
  try {
    const ask = await signIn(run.url, admin)
    const { speed, buyers } = options
    const onSaleAt = new Date(Date.now() + LOBBY_MS + (buyers / ARRIVALS_A_SECOND) * 1_000)
    const eventId = options.event ?? run.demo.eventId
    const shadow = await castShadow(ledger, ask, { eventId, speed, onSaleAt })
    console.log(
      `${shadow.event.name}: ${buyers} buyers for ${shadow.seats} seats of a copy, ${speed} times as fast`,
    )
    const rehearsed = await rehearse({ run, dataDir, ledger, shadow, onSaleAt })
    const verdict = judge(rehearsed)
    console.log(drawVerdict(rehearsed, verdict))
    return verdict.go ? 0 : 1
  } catch (fault) {
    return refuse(`The rehearsal could not run: ${fault instanceof Error ? fault.message : String(fault)}`)
  } finally {
    await ledger.close()
  }
}

interface Stage {
  run: RunFile
  dataDir: string
  ledger: Ledger
  shadow: Shadow
  onSaleAt: Date
}

async function rehearse({ run, dataDir, ledger, shadow, onSaleAt }: Stage): Promise<Rehearsed> {
  const { speed, buyers, faults } = options
  const limits: Partial<Record<FlowLimit, number>> = {}
  const watch = setInterval(() => {
    void shadow.stats().then((stats) => {
      if (stats && Date.now() > onSaleAt.getTime() && stats.waiting > 0)
        limits[stats.limit] = (limits[stats.limit] ?? 0) + 1
    })
  }, STATS_EVERY_MS)
  const cpu = measureCpu(Object.fromEntries(run.servers.map(({ pid }, index) => [`server ${index}`, [pid]])))
  const stopDoubling = faults ? doubleWebhooks(ledger, shadow.eventId) : () => 0
  const progress: CrowdProgress[] = []
  let dying: Promise<number | null> | undefined
  const dieAt = REDIS_DIES_AT * Math.min(buyers, shadow.seats / ((1 + PARTY_MAX) / 2))
  const report = await sendCrowd(run.url, shadow.eventId, (now) => {
    progress.push({ ...now, seconds: now.seconds - (onSaleAt.getTime() - began) / 1_000 })
    if (faults && now.bought >= dieAt) dying ??= killRedis(dataDir)
  })
  clearInterval(watch)
  const doubled = stopDoubling()
  if (faults) console.log(`Faults: ${doubled} webhooks told twice, ${LOST_SHARE * 100} % of them never`)
  const redisBackMs = faults ? ((await dying) ?? null) : 0
  if (redisBackMs) console.log(`Faults: Redis was killed and answered again after ${redisBackMs} ms`)
  const sold = await soldOf(ledger, shadow.eventId, report?.seatsBought ?? 0)
  const broken = await auditOf(findRunFile(dataDir) ?? run)
  return {
    speed,
    planned: shadow.planned,
    seats: shadow.seats,
    buyers,
    progress,
    report,
    limits,
    serverCore: Math.max(...Object.values(cpu().cores)),
    sold,
    auditBroken: broken === '' ? [] : broken.split('; '),
    redisBackMs,
  }
}

/** Null when it ended without a report. */
async function sendCrowd(
  url: string,
  eventId: string,
  tell: (progress: CrowdProgress) => void,
): Promise<CrowdReport | null> {
  const { speed, buyers, look, minutes, faults } = options
  const given = {
    url,
    event: eventId,
    buyers,
    party: `1-${PARTY_MAX}`,
    think: (look / speed).toFixed(2),
    pay: PAY_SHARE,
    lost: faults ? LOST_SHARE : 0,
    patience: Math.max(10, PATIENCE_SECONDS / speed),
    minutes: Math.max(1, minutes / speed),
  }
  const words = Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)])
  began = Date.now()
  const crowd = Bun.spawn(
    [process.execPath, join(import.meta.dir, 'crowd.ts'), '--rehearsal', '--lines', ...words],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  process.once('SIGTERM', () => crowd.kill('SIGTERM'))
  let report: CrowdReport | null = null
  let rest = ''
  for await (const piece of crowd.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const said = JSON.parse(line) as { progress?: CrowdProgress; report?: CrowdReport }
      if (said.progress) tell(said.progress)
      if (said.report) report = said.report
    }
  }
  await crowd.exited
  return report
}

/** What the ledger says, once payments nobody was told of are settled; after a while, whatever it is. */
async function soldOf({ sql }: Ledger, eventId: string, expected: number): Promise<number> {
  const deadline = Date.now() + SETTLE_MS
  for (;;) {
    const [row] = await sql<{ sold: number }[]>`
      select count(*)::int as sold from seats where event_id = ${eventId} and status = 'SOLD'`
    const sold = row?.sold ?? 0
    if (sold === expected || Date.now() > deadline) return sold
    await Bun.sleep(POLL_MS)
  }
}

function readOptions() {
  const text = { type: 'string' } as const
  try {
    const { values } = parseArgs({
      allowNegative: true,
      options: {
        event: text,
        buyers: { ...text, default: '1000' },
        speed: { ...text, default: '10' },
        look: { ...text, default: '60' },
        minutes: { ...text, default: '60' },
        faults: { type: 'boolean', default: true },
      },
    })
    const between = (name: 'buyers' | 'speed' | 'look' | 'minutes', least: number, most: number) => {
      const value = Number(values[name].replace(/[x×]$/i, ''))
      if (value >= least && value <= most) return value
      throw new Error(`--${name} must lie between ${least} and ${most}`)
    }
    return {
      event: values.event,
      buyers: Math.round(between('buyers', 1, MOST_BUYERS)),
      speed: between('speed', 1, MOST_SPEED),
      look: between('look', 0, 600),
      minutes: between('minutes', 1, 600),
      faults: values.faults,
    }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
    process.exit(1)
  }
}

function refuse(sentence: string): number {
  console.error(sentence)
  return 1
}
