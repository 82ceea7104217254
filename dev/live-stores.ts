/** Decides which stores a command works on: the ones named in the environment, else those of a running `up`. */
import { isAbsolute, join } from 'node:path'
import { findRunFile } from './up/run-file.ts'
import type { RunFile } from './up/run-file.ts'

const root = join(import.meta.dir, '..')
const DEFAULT_DATA_DIR = '.data'

/** Where `up` keeps its data, absolute. */
export function dataDirOf(env: Record<string, string | undefined>): string {
  const dir = env.DATA_DIR?.trim() || DEFAULT_DATA_DIR
  return isAbsolute(dir) ? dir : join(root, dir)
}

/** What runs on DATA_DIR; null when nothing does. */
export function findRunning(): RunFile | null {
  return findRunFile(dataDirOf(process.env))
}

export function requireDatabaseUrl(): string {
  return process.env.DATABASE_URL || findRunning()?.postgres.url || leave('DATABASE_URL')
}

export function requireRedisUrl(): string {
  return process.env.REDIS_URL || findRunning()?.redis.url || leave('REDIS_URL')
}

function leave(name: string): never {
  console.error(`Nothing runs here: start Onsale with \`npm start\`, or set ${name}.`)
  process.exit(1)
}
