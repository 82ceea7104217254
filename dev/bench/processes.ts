// Owns what the machine says of a process: its memory and the CPU time it has used, read from /proc.
import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** Linux counts CPU time in hundredths of a second whatever the machine. */
const TICKS_PER_SECOND = 100
const KILOBYTE = 1_024
/** Fields of /proc/PID/stat after the name, which may hold spaces: state is the first of them. */
const USER_FIELD = 11
const SYSTEM_FIELD = 12

/** Seconds of CPU a process has used since it began, user and system together; null when it has ended. */
export function cpuSeconds(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[USER_FIELD]) + Number(fields[SYSTEM_FIELD])) / TICKS_PER_SECOND
  } catch {
    return null
  }
}

/** A process and all that it, or they, started and that still run. */
export function treeOf(pid: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const children = Map.groupBy(pids.map(Number), parentOf)
  const tree = [pid]
  for (const each of tree) tree.push(...(children.get(each) ?? []))
  return tree
}

/** 0 when it has ended meanwhile. */
function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return 0
  }
}

/** Resident bytes of the processes together. */
export function residentBytes(pids: number[]): number {
  let kilobytes = 0
  for (const pid of pids)
    kilobytes += Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  return kilobytes * KILOBYTE
}

/** How many files one process may open here. */
export function openFilesMax(): number {
  const line = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))
  return line?.[1] === 'unlimited' ? Infinity : Number(line?.[1] ?? 0)
}

export const availableBytes = (): number =>
  Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0) * KILOBYTE

/** A named group of processes whose CPU is measured over the same time. */
export type Groups = Record<string, number[]>

/** Starts measuring; the returned function answers the share of one core each group took since. Who ended is left out. */
export function measureCpu(groups: Groups): () => { seconds: number; cores: Record<string, number> } {
  const began = performance.now()
  const before = Object.entries(groups).map(([name, pids]) => {
    return [name, pids.map((pid) => [pid, cpuSeconds(pid)] as const)] as const
  })
  return () => {
    const seconds = (performance.now() - began) / 1_000
    const cores = before.map(([name, pids]) => {
      const used = pids.map(([pid, then]) => {
        const now = cpuSeconds(pid)
        return now === null || then === null ? 0 : now - then
      })
      return [name, used.reduce((all, one) => all + one, 0) / seconds]
    })
    return { seconds, cores: Object.fromEntries(cores) as Record<string, number> }
  }
}

export const machine = () => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  kernel: readFileSync('/proc/version', 'utf8').split(' ')[2] ?? '',
  bun: Bun.version,
})
