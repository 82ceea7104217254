// Measures a crowd in a real line: opening, joining, waiting, being told; memory and CPU of the servers meanwhile.
import { startGenerators, type Generators } from '../generators.ts'
import { measureCpu, residentBytes } from '../processes.ts'
import type { Load } from './load.ts'
import { ASK_IN_FLIGHT, openSale, SETTLE_MS, type Sale } from './sale.ts'

/** So many are enough for the servers to have loaded and compiled everything they will use. */
const WARM_UP = 1_000
/** At so many the age of the front tier's frames is looked at. */
const AGES_AT = 20_000
const AGES_SECONDS = 15
/** Longest single watch: what it collects stays small. */
const WATCH_SECONDS = 15
const SECONDS_A_MINUTE = 60
/** Some who come and go, so that every tick has something to tell every tier. */
const STIRRERS = 20
const STIR_EVERY_MS = 100

export interface CrowdFigures {
  opened: number
  failed: number
  opensPerSecond: number
  joined: number
  joinSeconds: number
  joinsPerSecond: number
  duplicates: number
  /** Share of a core of each group while joining. */
  joinCores: Record<string, number>
  nearAges: number[]
  bytesPerWaiter: number
  /** Seconds; the first without what the same line costs these servers while nobody waits, the second with it. */
  cpuPerFrame: number[]
  cpuPerFrameInAll: number[]
  framesPerSecond: number
  aloneCores: number
  holdCores: Record<string, number>
  closed: Record<string, number>
}

export async function measureCrowd(load: Load): Promise<CrowdFigures> {
  const sale = await openSale(load.servers)
  try {
    await warmUp(sale)
    const stirrers = await startGenerators(1)
    const crowd = await startGenerators(load.generators)
    try {
      const { port, path } = sale
      await stirrers.open({ port, path, count: STIRRERS, tokensFile: await sale.makeBuyers(STIRRERS) })
      await stirrers.stir(STIR_EVERY_MS)
      return await hold(load, sale, crowd)
    } finally {
      await Promise.all([crowd.close(), stirrers.close()])
    }
  } finally {
    await sale.stop()
  }
}

async function warmUp(sale: Sale): Promise<void> {
  const { port, path } = sale
  const few = await startGenerators(1)
  await few.open({ port, path, count: WARM_UP, tokensFile: await sale.makeBuyers(WARM_UP) })
  await few.ask({ text: '{"type":"join"}', type: 'joined', inFlight: ASK_IN_FLIGHT })
  await few.ask({ text: '{"type":"leave"}', type: 'ended', inFlight: ASK_IN_FLIGHT, seconds: 1 })
  await few.close()
}

async function hold({ waiters, minutes }: Load, sale: Sale, crowd: Generators): Promise<CrowdFigures> {
  const { run, port, path } = sale
  const servers = run.servers.map(({ pid }) => pid)
  const groups = { servers, redis: run.redis.pid ? [run.redis.pid] : [], generators: crowd.pids }
  await Bun.sleep(SETTLE_MS)
  const alone = measureCpu({ servers })
  await Bun.sleep(WATCH_SECONDS * 1_000)
  const aloneCores = alone().cores.servers!
  const before = residentBytes(servers)

  const joins = { answered: 0, seconds: 0 }
  const numbers = new Set<number>()
  let [opened, failed, openSeconds, told] = [0, 0, 0, 0]
  let nearAges: number[] = []
  let joinCores: Record<string, number> = {}
  const first = Math.min(AGES_AT, waiters)
  for (const count of first < waiters ? [first, waiters - first] : [first]) {
    const tokensFile = await sale.makeBuyers(count)
    const began = performance.now()
    const opening = await crowd.open({ port, path, count, tokensFile })
    openSeconds += (performance.now() - began) / 1_000
    opened += opening.opened
    failed += opening.failed
    const measured = measureCpu(groups)
    const asked = await crowd.ask({ text: '{"type":"join"}', type: 'joined', inFlight: ASK_IN_FLIGHT })
    joinCores = measured().cores
    joins.answered += asked.answered
    joins.seconds += asked.seconds
    told += asked.numbers.length
    for (const number of asked.numbers) numbers.add(number)
    if (count === first) nearAges = (await crowd.watch(AGES_SECONDS)).nearAges
  }
  await Bun.sleep(SETTLE_MS)
  const bytesPerWaiter = (residentBytes(servers) - before) / opened

  const measured = measureCpu(groups)
  const [cpuPerFrame, cpuPerFrameInAll]: [number[], number[]] = [[], []]
  let [frames, closed]: [number, Record<string, number>] = [0, {}]
  const until = performance.now() + minutes * SECONDS_A_MINUTE * 1_000
  do {
    const part = measureCpu({ servers })
    const watched = await crowd.watch(WATCH_SECONDS)
    const count = Object.values(watched.frames).reduce((all, each) => all + each, 0)
    const { cores, seconds } = part()
    cpuPerFrame.push(((cores.servers! - aloneCores) * seconds) / count)
    cpuPerFrameInAll.push((cores.servers! * seconds) / count)
    frames += count
    closed = watched.closed
  } while (performance.now() < until)
  const { cores: holdCores, seconds } = measured()
  return {
    opened,
    failed,
    opensPerSecond: opened / openSeconds,
    joined: joins.answered,
    joinSeconds: joins.seconds,
    joinsPerSecond: joins.answered / joins.seconds,
    duplicates: told - numbers.size,
    joinCores,
    nearAges,
    bytesPerWaiter,
    cpuPerFrame,
    cpuPerFrameInAll,
    aloneCores,
    framesPerSecond: frames / seconds,
    holdCores,
    closed,
  }
}
