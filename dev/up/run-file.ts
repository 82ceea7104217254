/** Owns `run.json`: what a running Onsale tells other programs about itself. Never half written. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface RunFile {
  url: string
  pid: number
  servers: { pid: number }[]
  worker: { pid: number }
  /** `pid: null` means a store of somebody else's. */
  postgres: { url: string; pid: number | null }
  redis: { url: string; pid: number | null }
  mailbox: { url: string } | null
  demo: { eventId: string; accounts: DemoAccount[] } | null
}

export interface DemoAccount {
  email: string
  password: string
  role: 'ADMIN' | 'ORGANIZER' | 'USER'
}

const NAME = 'run.json'

/** Readable by its owner alone: it holds the demo's passwords. */
export function writeRunFile(dataDir: string, run: RunFile) {
  const path = join(dataDir, NAME)
  writeFileSync(`${path}.new`, `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

export function removeRunFile(dataDir: string) {
  rmSync(join(dataDir, NAME), { force: true })
}

/** null when nothing runs there. */
export function findRunFile(dataDir: string): RunFile | null {
  const path = join(dataDir, NAME)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as RunFile) : null
}
