/** Owns `rehearse`: the planned sale on a copy of the event, faster than on the day and with faults, and go or no-go. */
import { parseArgs } from 'node:util'
import { connectLedger, type Ledger } from '../db/client.ts'
import { auditOf } from './bench/audit-afterwards.ts'
import { dataDirOf } from './live-stores.ts'
import { countLost, doubleWebhooks, killRedis, LOST_SHARE, type RedisFault } from './rehearse/faults.ts'
import { PARTY_MAX, sendCrowd } from './rehearse/send-crowd.ts'
import { castShadow, signIn, type Shadow } from './rehearse/shadow.ts'
import { judge, type Rehearsed } from './rehearse/verdict.ts'
import { watchRehearsal } from './rehearse/watch.ts'
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
/** Of those for whom there are seats: Redis dies when so many have bought. */
const REDIS_DIES_AT = 0.3
const SETTLE_MS = 40_000
const POLL_MS = 500

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
    if (shadow.stretched.length > 0)
      console.log(`Too fast for some times; a lower --speed shows them: ${shadow.stretched.join(', ')}`)
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
  const { speed, buyers, faults, minutes, look } = options
  const { eventId, seats, planned } = shadow
  const watch = watchRehearsal(run, shadow, onSaleAt)
  const stopDoubling = faults ? doubleWebhooks(ledger, eventId) : () => 0
  let dying: Promise<RedisFault> | undefined
  const dieAt = REDIS_DIES_AT * Math.min(buyers, seats / ((1 + PARTY_MAX) / 2))
  const wish = { url: run.url, eventId, buyers, speed, look, minutes, lost: faults ? LOST_SHARE : 0 }
  const report = await sendCrowd(wish, (told) => {
    watch.hear(told)
    if (faults && told.progress.bought >= dieAt) dying ??= killRedis(dataDir)
  })
  const doubled = stopDoubling()
  const redis = faults ? ((await dying) ?? { killedAt: null, backMs: null }) : null
  const noted = watch.end(redis)
  const sold = await soldOf(ledger, eventId, report?.seatsBought ?? 0)
  if (redis) {
    const lost = await countLost(ledger, eventId)
    console.log(
      `Faults: of ${report?.outcomes.bought ?? 0} payments ${lost} were never told of and ${doubled} were told of twice`,
    )
    if (redis.backMs !== null)
      console.log(`Faults: Redis was killed, and another one ran after ${redis.backMs} ms`)
  }
  const broken = await auditOf(findRunFile(dataDir) ?? run)
  const auditBroken = broken === '' ? [] : broken.split('; ')
  return { ...noted, speed, minutes, planned, seats, buyers, report, sold, auditBroken, redis }
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
