/** Holds `up` to its promises with the whole of Onsale running: one command, kept alive, refused twice, gone clean. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commandOf, freePort } from '../../dev/stores/process.ts'
import { findRunFile } from '../../dev/up/run-file.ts'
import type { RunFile } from '../../dev/up/run-file.ts'

const script = join(import.meta.dir, '../../dev/up.ts')
/** The web client may have to be built first. */
const START_MS = 60_000
const HEAL_MS = 20_000
const STOP_MS = 10_000
const GONE_MS = 10_000
const POLL_MS = 50

let root = ''
const started: Bun.Subprocess[] = []
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'onsale-up-'))
})
afterAll(async () => {
  for (const up of started) up.kill('SIGTERM')
  await Promise.all(started.map((up) => up.exited))
  rmSync(root, { recursive: true, force: true })
})

interface Up {
  process: Bun.Subprocess<'ignore', 'pipe', 'pipe'>
  said: Promise<string>
  complained: Promise<string>
}

function start(env: Record<string, string>): Up {
  const { DATABASE_URL: _database, REDIS_URL: _redis, ...inherited } = process.env
  const up = Bun.spawn([process.execPath, script], {
    env: { ...inherited, LOG_LEVEL: 'error', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started.push(up)
  const said = new Response(up.stdout).text()
  const complained = new Response(up.stderr).text()
  return { process: up, said, complained }
}

async function until<T>(what: string, withinMs: number, look: () => Promise<T> | T): Promise<NonNullable<T>> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const seen = await look()
    if (seen) return seen
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${withinMs} ms`)
    await Bun.sleep(POLL_MS)
  }
}

async function untilReady(up: Up, dataDir: string): Promise<RunFile> {
  return until('ready', START_MS, async () => {
    if (up.process.exitCode !== null) throw new Error(`up ended: ${await up.complained}`)
    return findRunFile(dataDir)
  })
}

/** True when a request that needs both stores is answered. */
async function isHealthy(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`, {
      signal: AbortSignal.timeout(2_000),
    })
    return answer.ok
  } catch {
    return false
  }
}

function pidsOf(run: RunFile): number[] {
  const pids = [...run.servers, run.worker, run.postgres, run.redis].map(({ pid }) => pid)
  return pids.filter((pid) => pid !== null)
}

async function expectGone(pids: number[]) {
  const left = () => pids.filter((pid) => commandOf(pid) !== '')
  await until(`the end of ${left().join(', ')}`, GONE_MS, () => left().length === 0)
}

describe('one Onsale', () => {
  let up: Up
  let run: RunFile
  let port = 0
  let dataDir = ''
  beforeAll(async () => {
    port = await freePort()
    dataDir = join(root, 'one')
    up = start({ PORT: String(port), DATA_DIR: dataDir })
    run = await untilReady(up, dataDir)
  }, START_MS)

  test('says in run.json what runs, and its demo accounts can sign in', async () => {
    expect(run).toMatchObject({ url: `http://localhost:${port}`, pid: up.process.pid })
    expect(pidsOf(run).every((pid) => commandOf(pid) !== '')).toBe(true)
    expect(run.demo?.accounts.map(({ role }) => role)).toEqual(['ADMIN', 'ORGANIZER', 'USER'])
    for (const { email, password } of run.demo?.accounts ?? []) {
      const answer = await fetch(`${run.url}/api/v1/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-client': 'api' },
        body: JSON.stringify({ email, password }),
      })
      expect(answer.status).toBe(200)
    }
    const event = await fetch(`${run.url}/api/v1/event/${run.demo?.eventId}`)
    expect(event.status).toBe(200)
  })

  test('a second on the same folder refuses and names the running pid', async () => {
    const second = start({ PORT: String(await freePort()), DATA_DIR: dataDir })
    expect(await second.process.exited).toBe(1)
    expect(await second.complained).toContain(`pid ${run.pid}`)
    expect(findRunFile(dataDir)).toEqual(run)
  })

  test('a second on the same port refuses and names the port', async () => {
    const second = start({ PORT: String(port), DATA_DIR: join(root, 'other') })
    expect(await second.process.exited).toBe(1)
    expect(await second.complained).toContain(`Port ${port} is taken`)
    expect(existsSync(join(root, 'other', 'postgres'))).toBe(false)
  })

  for (const part of ['server', 'worker', 'redis', 'postgres'] as const) {
    test(
      `a killed ${part} comes back, and run.json names it`,
      async () => {
        const pidNow = () => {
          const now = findRunFile(dataDir)
          return part === 'server' ? now?.servers[0]?.pid : now?.[part].pid
        }
        const before = pidNow() ?? 0
        process.kill(before, 'SIGKILL')
        await until(`another ${part}`, HEAL_MS, () => pidNow() !== before && commandOf(pidNow() ?? 0) !== '')
        await until('health', HEAL_MS, () => isHealthy(port))
        expect(findRunFile(dataDir)?.[part === 'postgres' ? 'postgres' : 'redis'].url).toBe(
          run[part === 'postgres' ? 'postgres' : 'redis'].url,
        )
      },
      2 * HEAL_MS,
    )
  }

  test(
    'SIGTERM ends every child within ten seconds and takes run.json away',
    async () => {
      const pids = pidsOf(findRunFile(dataDir) ?? run)
      const began = Date.now()
      up.process.kill('SIGTERM')
      expect(await up.process.exited).toBe(0)
      expect(Date.now() - began).toBeLessThan(STOP_MS)
      expect(pids.filter((pid) => commandOf(pid) !== '')).toEqual([])
      expect(findRunFile(dataDir)).toBeNull()
      expect(await up.said).toContain(`Onsale ready: http://localhost:${port}\n`)
    },
    2 * STOP_MS,
  )
})

test(
  'an Onsale killed outright leaves nothing running, and the next start finds everything as it was',
  async () => {
    const dataDir = join(root, 'killed')
    const env = { PORT: String(await freePort()), DATA_DIR: dataDir, SERVERS: '2' }
    const first = start(env)
    const before = await untilReady(first, dataDir)
    expect(before.servers).toHaveLength(2)
    first.process.kill('SIGKILL')
    await first.process.exited
    if (process.platform === 'linux') await expectGone(pidsOf(before))
    rmSync(join(dataDir, 'run.json'))
    const second = start(env)
    const after = await untilReady(second, dataDir)
    expect(after.demo).toEqual(before.demo)
    second.process.kill('SIGINT')
    expect(await second.process.exited).toBe(0)
    await expectGone(pidsOf(after))
  },
  3 * START_MS,
)

describe('a start that cannot succeed', () => {
  afterEach(() => expect(existsSync(join(root, 'none', 'postgres'))).toBe(false))

  test('names every wrong variable, without a stack trace', async () => {
    const up = start({ PORT: 'x', SERVERS: '-1', SMTP_URL: 'nowhere', DATA_DIR: join(root, 'none') })
    expect(await up.process.exited).toBe(1)
    const complaint = await up.complained
    for (const name of ['PORT', 'SERVERS', 'SMTP_URL']) expect(complaint).toContain(name)
    expect(complaint).not.toMatch(/^\s+at /m)
  })

  test('says in one sentence that DATA_DIR cannot be written', async () => {
    const file = join(root, 'file')
    writeFileSync(file, '')
    const up = start({ PORT: String(await freePort()), DATA_DIR: file })
    expect(await up.process.exited).toBe(1)
    expect((await up.complained).trim().split('\n')).toHaveLength(1)
  })

  test('says that a store of one own cannot be reached, and does not repeat its password', async () => {
    const secret = 'kept-to-itself'
    const gone = await freePort()
    const up = start({
      PORT: String(await freePort()),
      DATA_DIR: join(root, 'none'),
      DATABASE_URL: `postgres://onsale:${secret}@127.0.0.1:${gone}/onsale`,
      REDIS_URL: `redis://:${secret}@127.0.0.1:${gone}`,
      JWT_SECRET: 'x'.repeat(40),
    })
    expect(await up.process.exited).toBe(1)
    const complaint = await up.complained
    expect(complaint).toContain('DATABASE_URL cannot be reached')
    expect(complaint).toContain('REDIS_URL cannot be reached')
    expect(complaint).not.toContain(secret)
  })
})
