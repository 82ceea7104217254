// Decides what `bench survival` measures: a line that loses a server, its Redis' memory, or both memory and program.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import Redis from 'ioredis'
import type { Report, Row } from './report.ts'
import { openSale, type Sale } from './room/sale.ts'
import { openSurvivors, type Survivor } from './survivors.ts'

const SERVERS = 2
const PEOPLE = '5000'
const RESUMED_WITHIN_S = 15
const RESUMED_SHARE = 0.99
const BACK_WITHIN_S = 60
const BACK_SHARE = 0.999
const POLL_MS = 100
/** Admission is looked for at most so long after a loss: the hold, and then some. */
const ADMISSION_WITHIN_MS = 90_000
/** The line moves a little before anything is taken from it. */
const MOVE_MS = 4_000

export async function bench(args: string[]): Promise<Report> {
  const { values } = parseArgs({ args, options: { people: { type: 'string', default: PEOPLE } } })
  const people = Number(values.people)
  if (!(people > 0)) throw new Error('--people must be a number above 0')
  const rows: Row[] = []
  // Each server holds half of its crowd, so twice as many stand in the line of which one is killed.
  say(`a server is killed with ${people} sockets`)
  rows.push(await withCrowd(2 * people, killServer))
  say('Redis is emptied')
  rows.push(...(await withCrowd(people, (crowd) => loseRedis(crowd, 'Redis emptied', empty))))
  say('Redis is killed, and its files are gone')
  rows.push(
    ...(await withCrowd(people, (crowd) => loseRedis(crowd, 'Redis killed, files gone', killAndForget))),
  )
  return { bench: 'survival', options: { people, servers: SERVERS }, rows }
}

const say = (sentence: string) => console.error(`bench survival: ${sentence}`)

interface Crowd {
  sale: Sale
  redis: Redis
  people: Survivor[]
}

async function withCrowd<T>(count: number, measure: (crowd: Crowd) => Promise<T>): Promise<T> {
  const sale = await openSale(SERVERS)
  const redis = new Redis(sale.run.redis.url, { maxRetriesPerRequest: null })
  redis.on('error', () => {})
  const opened: Survivor[] = []
  try {
    const tokens = readFileSync(await sale.makeBuyers(count), 'utf8').split('\n')
    opened.push(...(await openSurvivors(sale.run.url, sale.eventId, tokens)))
    await Bun.sleep(MOVE_MS)
    return await measure({ sale, redis, people: opened })
  } finally {
    for (const person of opened) person.close()
    redis.disconnect()
    await sale.stop()
  }
}

async function killServer({ sale, people }: Crowd): Promise<Row> {
  const began = performance.now()
  process.kill(sale.run.servers[0]!.pid, 'SIGKILL')
  await Bun.sleep(RESUMED_WITHIN_S * 1_000)
  const lost = people.filter(({ lostAt }) => lostAt >= began)
  const resumed = lost.filter((person) => person.joinedAt > person.lostAt && kept(person))
  const share = resumed.length / lost.length
  const seconds = after(resumed, began)
  return {
    what: 'a server killed: same place again within 15 s',
    figures: [100 * share],
    unit: '%',
    against: `${100 * RESUMED_SHARE} %`,
    ok: share >= RESUMED_SHARE && twice(people) === 0,
    note: `${resumed.length} of ${lost.length}; 99 % after ${quantileOf(seconds, lost.length, RESUMED_SHARE)} s; ${twice(people)} numbers twice`,
  }
}

async function loseRedis(crowd: Crowd, what: string, lose: (crowd: Crowd) => Promise<void>): Promise<Row[]> {
  const { people } = crowd
  const epoch = Math.max(...people.map((person) => person.epoch))
  await lose(crowd)
  const began = performance.now()
  await Bun.sleep(POLL_MS)
  // Who has a pass keeps it and needs no place.
  const waiting = people.filter(({ admitted }) => !admitted)
  const before = people.length - waiting.length
  const back = () => waiting.filter((person) => person.epoch > epoch && kept(person))
  let [early, admittedAfter] = [0, Number.NaN]
  while (performance.now() - began < ADMISSION_WITHIN_MS && Number.isNaN(admittedAfter)) {
    await Bun.sleep(POLL_MS)
    const admitted = people.filter((person) => person.admitted).length - before
    const everybody = back().length >= waiting.length * BACK_SHARE
    if (!everybody) early = admitted
    if (everybody && admitted > early) admittedAfter = (performance.now() - began) / 1_000
  }
  const seconds = after(back(), began)
  const within = seconds.filter((each) => each <= BACK_WITHIN_S).length / waiting.length
  const wrongly = people.filter(({ ended }) => ended.length > 0).length
  return [
    {
      what: `${what}: same place again within 60 s`,
      figures: [100 * within],
      unit: '%',
      against: `${100 * BACK_SHARE} %`,
      ok: within >= BACK_SHARE && twice(people) === 0 && wrongly === 0,
      note: `${seconds.length} of ${waiting.length}; 99.9 % after ${quantileOf(seconds, waiting.length, BACK_SHARE)} s; ${twice(people)} numbers twice, ${wrongly} told that their place ended; ${before} had a pass`,
    },
    {
      what: `${what}: until the next is admitted`,
      figures: [admittedAfter],
      unit: 's',
      against: 'nobody before the others are back',
      ok: early === 0 && !Number.isNaN(admittedAfter),
      note: `${early} admitted while people came back`,
    },
  ]
}

async function empty({ redis }: Crowd): Promise<void> {
  await redis.flushall()
}

async function killAndForget({ sale, redis }: Crowd): Promise<void> {
  const [, dir] = (await redis.config('GET', 'dir')) as [string, string]
  process.kill(sale.run.redis.pid!, 'SIGKILL')
  rmSync(join(dir, 'appendonlydir'), { recursive: true, force: true })
}

const kept = ({ number, lastNumber }: Survivor) => number === lastNumber

/** Numbers that more than one person was last told. */
function twice(people: Survivor[]): number {
  const numbers = people.map(({ lastNumber }) => lastNumber).filter((number) => number !== null)
  return numbers.length - new Set(numbers).size
}

/** Seconds from `began` to each one's place, ascending. */
const after = (people: Survivor[], began: number) =>
  people.map(({ joinedAt }) => (joinedAt - began) / 1_000).toSorted((a, b) => a - b)

function quantileOf(seconds: number[], of: number, share: number): string {
  return seconds[Math.ceil(of * share) - 1]?.toFixed(1) ?? 'never'
}
