/** Owns DATA_DIR: one `up` at a time works in it, and what a killed one left behind is ended first. */
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { commandOf, endLeftover } from '../stores/process.ts'

const LOCK = 'up.lock'
const CLAIM_TRIES = 3
/** How the children of `up` are recognised when they outlived it: the scripts they run. */
const CHILD_SCRIPT = /(server\/main|worker\/main|dev\/mailbox|dev\/up\/window)\.ts/

interface Lock {
  pid: number
  children: number[]
}

export interface ClaimedDataDir {
  ok: true
  /** Noted so that the next start can end them should this process be killed. */
  noteChildren(pids: number[]): void
  release(): void
}

/** Refuses with a sentence when the folder cannot be written, or another `up` works in it. */
export async function claimDataDir(
  dir: string,
): Promise<ClaimedDataDir | { ok: false; problem: string; running?: number }> {
  const unusable = tryFolder(dir)
  if (unusable) return { ok: false, problem: unusable }
  const path = join(dir, LOCK)
  const mine = join(dir, `${LOCK}.${process.pid}`)
  for (let tried = 0; tried < CLAIM_TRIES; tried += 1) {
    writeFileSync(mine, JSON.stringify({ pid: process.pid, children: [] } satisfies Lock))
    try {
      // A link is made whole or not at all: of two that start together, one sees EEXIST.
      linkSync(mine, path)
      unlinkSync(mine)
      return claimed(path, mine)
    } catch (error) {
      unlinkSync(mine)
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const holder = readLock(path)
    if (holder && holder.pid !== process.pid && commandOf(holder.pid).includes('dev/up.ts')) {
      const problem = `Onsale already runs on ${dir} (pid ${holder.pid}): stop it first, or set another DATA_DIR`
      return { ok: false, problem, running: holder.pid }
    }
    for (const pid of holder?.children ?? []) {
      await endLeftover(pid, 'SIGTERM', (command) => CHILD_SCRIPT.test(command))
    }
    rmSync(path, { force: true })
  }
  return { ok: false, problem: `Another start is working on ${dir}: wait a moment and try again` }
}

function claimed(path: string, spare: string): ClaimedDataDir {
  return {
    ok: true,
    noteChildren: (pids) => {
      writeFileSync(spare, JSON.stringify({ pid: process.pid, children: pids } satisfies Lock))
      renameSync(spare, path)
    },
    release: () => rmSync(path, { force: true }),
  }
}

function tryFolder(dir: string): string | undefined {
  const probe = join(dir, `.write-${process.pid}`)
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    writeFileSync(probe, '')
    unlinkSync(probe)
    return undefined
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    return `DATA_DIR ${dir} cannot be written to (${code}): choose a folder of your own`
  }
}

/** Half a file counts as one nobody holds. */
function readLock(path: string): Lock | undefined {
  if (!existsSync(path)) return undefined
  try {
    const lock = JSON.parse(readFileSync(path, 'utf8')) as Partial<Lock>
    return { pid: Number(lock.pid), children: Array.isArray(lock.children) ? lock.children.map(Number) : [] }
  } catch {
    return undefined
  }
}
