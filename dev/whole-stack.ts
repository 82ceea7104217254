// Owns one running `up` of its own for a test or a benchmark: everything as a person starts it, on a folder and a port apart.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './stores/process.ts'
import { findRunFile, type RunFile } from './up/run-file.ts'

const UP = join(import.meta.dir, 'up.ts')
/** The web client may have to be built first, on a machine that is busy with the other tests. */
const START_MS = 90_000
const POLL_MS = 100

export interface WholeStack {
  run: RunFile
  /** As it is now: a process that died has another pid. */
  now(): RunFile
  stop(): Promise<void>
}

export async function startWholeStack(env: Record<string, string> = {}): Promise<WholeStack> {
  const dir = mkdtempSync(join(tmpdir(), 'onsale-stack-'))
  const { DATABASE_URL: _database, REDIS_URL: _redis, ...inherited } = process.env
  const up = Bun.spawn([process.execPath, UP], {
    env: { ...inherited, LOG_LEVEL: 'error', DATA_DIR: dir, PORT: String(await freePort()), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const complained = new Response(up.stderr).text()
  const stop = async () => {
    up.kill('SIGTERM')
    await up.exited
    rmSync(dir, { recursive: true, force: true })
  }
  const deadline = Date.now() + START_MS
  for (;;) {
    const run = findRunFile(dir)
    if (run) return { run, now: () => findRunFile(dir) ?? run, stop }
    if (up.exitCode !== null) throw new Error(`up ended: ${await complained}`)
    if (Date.now() > deadline) {
      await stop()
      throw new Error(`up was not ready within ${START_MS} ms`)
    }
    await Bun.sleep(POLL_MS)
  }
}
