// Owns the processes of the load generator: starts them, gives each its share of an order, adds up what they answer.
import { join } from 'node:path'
import type { Asked, Opened, Order, Result, Watched } from './generator.ts'

export interface Generators {
  pids: number[]
  /** `count` sockets in all. */
  open(of: { port: number; path: string; count: number; tokensFile?: string }): Promise<Opened>
  ask(of: { text: string; type: string; inFlight: number; seconds?: number }): Promise<Asked>
  watch(seconds: number): Promise<Watched>
  /** One of the sockets joins or leaves each `everyMs`, for good. */
  stir(everyMs: number): Promise<unknown>
  close(): Promise<void>
}

/** Connections each process tries at once. */
const AT_ONCE = 100
const NETWORKS = 250

export async function startGenerators(processes: number): Promise<Generators> {
  const each = await Promise.all(Array.from({ length: processes }, startOne))
  // Ports of an earlier run may be taken for another minute.
  const network = `${1 + Math.floor(Math.random() * NETWORKS)}.${Math.floor(Math.random() * NETWORKS)}`
  const all = <O extends Order>(order: (index: number) => O) =>
    Promise.all(each.map((one, index) => one.give(order(index))))
  return {
    pids: each.map(({ pid }) => pid),
    async open({ port, path, count, tokensFile }) {
      const first = (index: number) => Math.floor((count * index) / processes)
      const parts = await all((index) => ({
        kind: 'open',
        port,
        path,
        count: first(index + 1) - first(index),
        from: `127.${network}.${index + 1}`,
        atOnce: AT_ONCE,
        ...(tokensFile ? { tokens: { file: tokensFile, first: first(index) } } : {}),
      }))
      return { opened: sum(parts, 'opened'), failed: sum(parts, 'failed') }
    },
    async ask(of) {
      const inFlight = Math.ceil(of.inFlight / processes)
      const parts = await all(() => ({ kind: 'ask', ...of, inFlight }))
      return {
        answered: sum(parts, 'answered'),
        seconds: Math.max(...parts.map(({ seconds }) => seconds)),
        numbers: parts.flatMap(({ numbers }) => numbers),
      }
    },
    async watch(seconds) {
      const parts = await all(() => ({ kind: 'watch', seconds }))
      return {
        seconds: Math.max(...parts.map((part) => part.seconds)),
        frames: addUp(parts.map(({ frames }) => frames)),
        closed: addUp(parts.map(({ closed }) => closed)),
        nearAges: parts.flatMap(({ nearAges }) => nearAges),
        ages: parts.flatMap(({ ages }) => ages),
      }
    },
    stir: (everyMs) => all(() => ({ kind: 'stir', everyMs })),
    async close() {
      await Promise.all(each.map(({ end }) => end()))
    },
  }
}

async function startOne() {
  const waiting: ((answer: unknown) => void)[] = []
  let gone = false
  const ready = new Promise((resolve) => waiting.push(resolve))
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'generator.ts')], {
    stdio: ['ignore', 'inherit', 'inherit'],
    ipc: (message) => waiting.shift()?.(message),
    onExit: () => {
      gone = true
      for (const resolve of waiting.splice(0)) resolve(null)
    },
  })
  await ready
  const give = async <O extends Order>(order: O): Promise<Result<O>> => {
    if (gone) throw new Error('a process of the load generator has ended')
    const answer = await new Promise<unknown>((resolve) => {
      waiting.push(resolve)
      child.send(order)
    })
    if (answer === null) throw new Error('a process of the load generator has ended')
    return answer as Result<O>
  }
  return {
    pid: child.pid,
    give,
    async end() {
      if (!gone) child.send({ kind: 'close' })
      await child.exited
    },
  }
}

const sum = <K extends string>(parts: Record<K, number>[], key: K) =>
  parts.reduce((all, part) => all + part[key], 0)

function addUp(parts: Record<string, number>[]): Record<string, number> {
  const all: Record<string, number> = {}
  for (const part of parts)
    for (const [key, count] of Object.entries(part)) all[key] = (all[key] ?? 0) + count
  return all
}
