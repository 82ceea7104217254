// Decides what `bench room` measures and what is asked of each figure: the crowd, its reference, the tick, the draw.
import { benchDraw } from './draw.ts'
import type { Report, Row } from './report.ts'
import { median, quantile } from './report.ts'
import { measureBare } from './room/bare.ts'
import { measureCrowd } from './room/crowd.ts'
import { readLoad } from './room/load.ts'
import { measureTicks, TICK_SIZES } from './room/ticks.ts'

const KILOBYTE = 1_024
const BEYOND_BARE_MAX = 3 * KILOBYTE
const CPU_RATIO_MAX = 1.5
const JOINS_PER_SECOND_MIN = 5_000
const JOINS_SHARE_MIN = 0.6
const AGE_MAX_MS = 1_000
const AGE_SHARE = 0.99
const TICK_MAX_MS = 5
const TICK_FLAT = 0.1
const MICROSECONDS = 1_000_000

const say = (sentence: string) => console.error(`bench room: ${sentence}`)

export async function bench(args: string[]): Promise<Report> {
  const load = readLoad(args)
  say('the tick at each size')
  const ticks = await tickRows()
  say('the draw of a million')
  const draw = await benchDraw()
  say(`${load.waiters} bare sockets`)
  const bare = await measureBare(load)
  say(`${load.waiters} waiters`)
  const crowd = await measureCrowd(load)

  const beyond = crowd.bytesPerWaiter - bare.bytesPerSocket
  const lost = Object.values(crowd.closed).reduce((all, count) => all + count, 0)
  const ratio = crowd.cpuPerFrame.map((each) => each / bare.cpuPerFrame)
  const inAll = median(crowd.cpuPerFrameInAll) / bare.cpuPerFrame
  const share = crowd.joinsPerSecond / bare.echoesPerSecond
  const age = quantile(crowd.nearAges, AGE_SHARE)
  const rows: Row[] = [
    {
      what: `waiters held for ${load.minutes} min`,
      figures: [crowd.opened],
      unit: 'sockets',
      against: `${load.waiters}, none closed by us`,
      ok: crowd.failed === 0 && lost === 0 && crowd.joined === load.waiters,
      note: `${lost} closed, ${crowd.failed} not opened; ${Math.round(crowd.opensPerSecond)} opened/s; ${coresOf(crowd.holdCores)}`,
    },
    {
      what: 'server memory a waiter',
      figures: [crowd.bytesPerWaiter / KILOBYTE],
      unit: 'KB',
      against: `bare socket ${(bare.bytesPerSocket / KILOBYTE).toFixed(2)} + 3`,
      ok: beyond <= BEYOND_BARE_MAX,
      note: `${(beyond / KILOBYTE).toFixed(2)} KB beyond; RSS of ${load.servers} server processes`,
    },
    {
      what: 'server CPU a delivered frame',
      figures: crowd.cpuPerFrame.map((each) => each * MICROSECONDS),
      unit: 'µs',
      against: `bare publish ${(bare.cpuPerFrame * MICROSECONDS).toFixed(2)} × ${CPU_RATIO_MAX}`,
      ok: median(ratio) <= CPU_RATIO_MAX,
      note: `× ${median(ratio).toFixed(2)}, and × ${inAll.toFixed(2)} with the clock of an empty line (${crowd.aloneCores.toFixed(2)} cores); ${Math.round(crowd.framesPerSecond)} frames/s, bare ${Math.round(bare.framesPerSecond)} (generator ${bare.generatorCores.toFixed(2)} cores)`,
    },
    {
      what: 'joins through the socket',
      figures: [crowd.joinsPerSecond],
      unit: '/s',
      against: `${JOINS_PER_SECOND_MIN}, or 60 % of bare echo ${Math.round(bare.echoesPerSecond)}`,
      ok:
        crowd.duplicates === 0 && (crowd.joinsPerSecond >= JOINS_PER_SECOND_MIN || share >= JOINS_SHARE_MIN),
      note: `${crowd.joined} in ${crowd.joinSeconds.toFixed(1)} s, ${crowd.duplicates} numbers twice; ${coresOf(crowd.joinCores)}`,
    },
    {
      what: 'age of a line frame near the front, 99 %',
      figures: [age],
      unit: 'ms',
      against: `${AGE_MAX_MS} at 20,000 waiters`,
      ok: age <= AGE_MAX_MS,
      note: `median ${quantile(crowd.nearAges, 0.5)} ms of ${crowd.nearAges.length} frames`,
    },
    ...ticks,
    ...draw,
  ]
  return { bench: 'room', options: { ...load }, rows }
}

async function tickRows(): Promise<Row[]> {
  const measured = await measureTicks()
  const medians = measured.map(({ ms }) => median(ms))
  const flat = Math.max(...medians) / Math.min(...medians) - 1
  return measured.map(({ entrants, ms }, index) => ({
    what: `tick at ${TICK_SIZES[index]!.toLocaleString('en')} entrants`,
    figures: ms,
    unit: 'ms',
    against: `${TICK_MAX_MS}, flat ± ${TICK_FLAT * 100} %`,
    ok: medians[index]! <= TICK_MAX_MS && flat <= 2 * TICK_FLAT,
    note: `medians of ${entrants} entrants' rounds; largest over smallest size + ${(flat * 100).toFixed(0)} %`,
  }))
}

const coresOf = (cores: Record<string, number>) =>
  `cores: ${Object.entries(cores)
    .map(([name, used]) => `${name} ${used.toFixed(2)}`)
    .join(', ')}`
