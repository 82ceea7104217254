// Owns the reference of `bench room`: as many bare Bun.serve sockets told the same frames as often, in the same run.
import { join } from 'node:path'
import { freePort } from '../../stores/process.ts'
import { startGenerators } from '../generators.ts'
import { measureCpu, residentBytes } from '../processes.ts'
import type { Load } from './load.ts'
import { ASK_IN_FLIGHT, SETTLE_MS } from './sale.ts'

/** As server/room/broadcast.ts tells them. */
const TIERS = [
  { name: 'near', everyMs: 250, places: 1_000 },
  { name: 'mid', everyMs: 2_000, places: 9_000 },
  { name: 'far', everyMs: 5_000, places: Infinity },
]
/** Frames of the length of ours. */
const LINE = JSON.stringify({
  type: 'line',
  serving: 1_234,
  waiting: 48_766,
  perMinute: 600,
  gone: [],
  seatsLeft: 1_200,
  flow: [480, 660],
  reach: [1_400, 2_100],
  at: 'AT',
})
const JOINED = JSON.stringify({
  type: 'joined',
  number: 48_766,
  place: 48_766,
  ticket: 'x'.repeat(360),
  epoch: 1,
})
const ECHO_SECONDS = 5
const WATCH_SECONDS = 15

export interface BareFigures {
  bytesPerSocket: number
  cpuPerFrame: number
  framesPerSecond: number
  generatorCores: number
  echoesPerSecond: number
}

export async function measureBare({ waiters, servers, generators }: Load): Promise<BareFigures> {
  const port = await freePort()
  const tiers = TIERS.map(({ name, everyMs, places }) => ({
    name,
    everyMs,
    sockets: Math.round(Math.min(places, waiters) / servers),
  }))
  const bare = JSON.stringify({ port, tiers, line: LINE, answers: [JOINED, LINE] })
  const processes = Array.from({ length: servers }, () =>
    Bun.spawn([process.execPath, join(import.meta.dir, '../bare-server.ts'), bare], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  )
  const load = await startGenerators(generators)
  try {
    await Promise.all(processes.map(({ stdout }) => stdout.getReader().read()))
    const pids = processes.map(({ pid }) => pid)
    const before = residentBytes(pids)
    const { failed } = await load.open({ port, path: '/', count: waiters })
    if (failed > 0) throw new Error(`${failed} of ${waiters} bare sockets could not be opened`)
    await Bun.sleep(SETTLE_MS)
    const bytesPerSocket = (residentBytes(pids) - before) / waiters
    const measured = measureCpu({ servers: pids, generators: load.pids })
    const { frames } = await load.watch(WATCH_SECONDS)
    const { cores, seconds } = measured()
    const lines = frames.line ?? 0
    const echo = await load.ask({
      text: '{"type":"join"}',
      type: 'joined',
      inFlight: ASK_IN_FLIGHT,
      seconds: ECHO_SECONDS,
    })
    return {
      bytesPerSocket,
      cpuPerFrame: (cores.servers! * seconds) / lines,
      framesPerSecond: lines / seconds,
      generatorCores: cores.generators!,
      echoesPerSecond: echo.answered / echo.seconds,
    }
  } finally {
    await load.close()
    for (const each of processes) each.kill()
    await Promise.all(processes.map(({ exited }) => exited))
  }
}
