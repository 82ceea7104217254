// Owns what servers and worker take while a scenario runs: memory and descriptors every few seconds, and what a soak asks of them.
import { readdirSync } from 'node:fs'
import { measureCpu, residentBytes, treeOf } from '../bench/processes.ts'
import type { RunFile } from '../up/run-file.ts'

const SAMPLE_MS = 2_000
const MEGABYTE = 1_048_576
/** Growth is judged between the first and the last such share of what follows the warm-up. */
const WINDOW_SHARE = 0.2
const SETTLE_MS = 60_000

export interface Sample {
  seconds: number
  megabytes: number
  descriptors: number
}
export interface Watched {
  name: string
  samples: Sample[]
  /** It ended, and another took its place or none did. */
  restarted: boolean
}
export interface Watch {
  /** Waits until descriptors are as few as at the beginning, for at most a minute, and ends. */
  settle(): Promise<void>
  stop(): { processes: Watched[]; cores: Record<string, number> }
}

/** Null where the machine does not tell (no /proc). */
export function watchProcesses(run: RunFile): Watch | null {
  const pids = [
    ...run.servers.map(({ pid }, index) => ({ name: `server ${index + 1}`, pid })),
    { name: 'worker', pid: run.worker.pid },
  ]
  const processes: Watched[] = pids.map(({ name }) => ({ name, samples: [], restarted: false }))
  const began = performance.now()
  const look = () => {
    for (const [index, { pid }] of pids.entries()) {
      const sample = sampleOf(pid)
      if (sample === null) processes[index]!.restarted = true
      else processes[index]!.samples.push({ seconds: (performance.now() - began) / 1_000, ...sample })
    }
  }
  look()
  if (processes.some(({ restarted }) => restarted)) return null
  const cores = measureCpu({
    servers: run.servers.map(({ pid }) => pid),
    worker: [run.worker.pid],
    Postgres: familyOf(run.postgres.pid),
    Redis: familyOf(run.redis.pid),
  })
  const timer = setInterval(look, SAMPLE_MS)
  let used: Record<string, number> | undefined
  return {
    async settle() {
      used ??= cores().cores
      const deadline = Date.now() + SETTLE_MS
      while (!processes.every(isBack) && Date.now() < deadline) await Bun.sleep(SAMPLE_MS)
    },
    stop() {
      clearInterval(timer)
      look()
      return { processes, cores: used ?? cores().cores }
    },
  }
}

/** Nobody's here when the store is somebody else's. */
const familyOf = (pid: number | null) => (pid === null ? [] : treeOf(pid))
const isBack = ({ samples }: Watched) => (samples.at(-1)?.descriptors ?? 0) <= (samples[0]?.descriptors ?? 0)

function sampleOf(pid: number): Omit<Sample, 'seconds'> | null {
  try {
    const descriptors = readdirSync(`/proc/${pid}/fd`).length
    return { megabytes: residentBytes([pid]) / MEGABYTE, descriptors }
  } catch {
    return null
  }
}

export interface Limits {
  warmUpSeconds: number
  /** Of the memory after the warm-up. */
  growthMax: number
  /** Connections to the stores that a pool keeps once it has opened them. */
  descriptorsMax: number
}

/** Of one process: how its memory grew after the warm-up, as a share, and its descriptors at both ends. */
export function growthOf({ samples }: Watched, warmUpSeconds: number) {
  const warm = samples.filter(({ seconds }) => seconds >= warmUpSeconds)
  const window = Math.max(1, Math.floor(warm.length * WINDOW_SHARE))
  const [from, to] = [middle(warm.slice(0, window)), middle(warm.slice(-window))]
  const [first, last] = [samples[0]?.descriptors ?? 0, samples.at(-1)?.descriptors ?? 0]
  return { from, to, growth: from > 0 ? to / from - 1 : 0, descriptors: { first, last } }
}

function middle(samples: Sample[]): number {
  const sorted = samples.map(({ megabytes }) => megabytes).toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? 0
}

/** What is wrong, in sentences. */
export function judgeGrowth(processes: Watched[], limits: Limits): string[] {
  return processes.flatMap((watched) => {
    const { from, to, growth, descriptors } = growthOf(watched, limits.warmUpSeconds)
    const wrong: string[] = []
    if (watched.restarted) wrong.push(`${watched.name} did not live through the run`)
    if (growth > limits.growthMax)
      wrong.push(`${watched.name} grew from ${from.toFixed(0)} to ${to.toFixed(0)} MB after its warm-up`)
    if (descriptors.last > descriptors.first + limits.descriptorsMax)
      wrong.push(`${watched.name} had ${descriptors.first} descriptors and has ${descriptors.last}`)
    return wrong
  })
}
