/** Decides which stores a command works on: the ones named in the environment, else those of a running `up`. */
import { isAbsolute, join } from 'node:path'
import { findRunFile } from './up/run-file.ts'
import type { RunFile } from './up/run-file.ts'

const root = join(import.meta.dir, '..')

/** What runs on DATA_DIR; null when nothing does. */
export function findRunning(): RunFile | null {
  const dataDir = process.env.DATA_DIR?.trim() || '.data'
  return findRunFile(isAbsolute(dataDir) ? dataDir : join(root, dataDir))
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
