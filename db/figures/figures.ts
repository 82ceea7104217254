// Owns what all processes together have counted, those that ended included, so that one scrape of any server tells it.
//
// Every process keeps its latest report in Redis. Whoever reads reports first, so that no later reader sees less; and
// one that has been silent for long is added to the ended ones, whose sum stays: a counter never goes back.
import { askRedis } from '../redis-breaker.ts'
import type { RedisClient } from '../redis.ts'
import { FIGURES_KEY } from './keys.ts'
import endProcessesText from './lua/end-processes.lua' with { type: 'text' }
import reportFiguresText from './lua/report-figures.lua' with { type: 'text' }
import { addCounted, counted, type Figure } from './sums.ts'

/** A process that has not reported for this long measures nothing any more; what it counted stays. */
const SILENT_AFTER_MS = 15_000
/** And after this it has ended. One that comes back all the same goes on under another name. */
const ENDED_AFTER_MS = 60_000
/** When nobody runs any more, everything begins anew. */
const FIGURES_MS = 60 * 60_000
/** How long a name is remembered as ended: nobody is stopped for longer and goes on. */
const NAMES_KEPT_MS = 24 * 60 * 60_000
/** Said by a process that ends in order. */
const GOODBYE = 0

interface Stored {
  process: string
  at: number
  figures: Figure[]
}

export interface Totals {
  /** Each process' figures; of the silent and the ended, what they counted. */
  parts: Figure[][]
  /** The names of those that report. */
  live: string[]
}

export interface FiguresReport {
  report(): Promise<void>
  /** The last report; what was counted stays, and nobody waits for another. */
  leave(): Promise<void>
  /** Reports, then reads everybody's. While Redis is away, what was read last. Never throws. */
  readAll(): Promise<Totals>
  /** Adds those that ended to the sum. Throws when Redis does not answer. */
  tidy(): Promise<void>
}

/** `name` tells this process from all others that ever ran; `read` answers its own figures. */
export function reportFigures(
  redis: RedisClient,
  { name, read }: { name: string; read: () => Promise<Figure[]> },
): FiguresReport {
  let process = name
  let lives = 1
  /** What was counted under earlier names. */
  let before: Figure[] = []
  let reported: Figure[] = []
  let known: Stored[] = []
  let ended: Figure[] = []

  const own = async () => addCounted(await read(), before, -1)

  async function send(at: number): Promise<Figure[]> {
    const figures = await own()
    const args = [process, at, pack(figures), FIGURES_MS]
    const [word] = (await redis.eval(reportFiguresText, 1, FIGURES_KEY, ...args)) as [string]
    if (word === 'kept') {
      reported = figures
      return figures
    }
    // Everything up to the last report is in the sum already.
    before = addCounted(counted(before), reported)
    lives += 1
    process = `${name}+${lives}`
    reported = []
    return send(at)
  }

  async function readStored(): Promise<{ version: string; gone: Map<string, number> }> {
    const hash = await redis.hgetallBuffer(FIGURES_KEY)
    const text = (field: string) => hash[field]?.toString()
    const fields = Object.keys(hash)
    const named = (prefix: string) =>
      fields.filter((field) => field.startsWith(prefix)).map((field) => field.slice(prefix.length))
    known = named('at:').map((other) => ({
      process: other,
      at: Number(text(`at:${other}`)),
      figures: unpack(hash[`of:${other}`]),
    }))
    ended = unpack(hash['ended'])
    return {
      version: text('version') ?? '0',
      gone: new Map(named('gone:').map((other) => [other, Number(text(`gone:${other}`))])),
    }
  }

  async function sendAndRead(): Promise<Figure[]> {
    const sent = await send(Date.now())
    await readStored()
    return sent
  }

  return {
    report: async () => void (await send(Date.now())),
    leave: async () => void (await send(GOODBYE)),
    async readAll() {
      // Nobody who watches a silent Redis waits longer than once for it.
      const mine = (await askRedis(redis, sendAndRead, { tells: false })) ?? (await own())
      const others = known.filter((other) => other.process !== process)
      return {
        parts: [
          mine,
          ...others.map((other) => (speaks(other) ? other.figures : counted(other.figures))),
          ended,
        ],
        live: [process, ...others.filter(speaks).map((other) => other.process)],
      }
    },
    async tidy() {
      const { version, gone } = await readStored()
      const now = Date.now()
      const over = known.filter(({ at }) => at < now - ENDED_AFTER_MS)
      if (over.length === 0) return
      const sum = over.reduce((all, { figures }) => addCounted(all, figures), ended)
      const forgotten = [...gone].filter(([, at]) => at < now - NAMES_KEPT_MS).map(([other]) => other)
      await redis.eval(
        endProcessesText,
        1,
        FIGURES_KEY,
        version,
        pack(sum),
        now,
        over.length,
        ...over.flatMap((other) => [other.process, other.at]),
        ...forgotten,
      )
    },
  }
}

const speaks = ({ at }: Stored) => at > Date.now() - SILENT_AFTER_MS

/** A report is mostly names; packed it is a tenth, and Redis writes each to its disk. */
const pack = (figures: Figure[]): Buffer =>
  Buffer.from(Bun.gzipSync(Buffer.from(JSON.stringify(figures)), { level: 1 }))

function unpack(packed: Buffer | undefined): Figure[] {
  if (!packed) return []
  return JSON.parse(Buffer.from(Bun.gunzipSync(new Uint8Array(packed))).toString()) as Figure[]
}
