/** Holds what `up` decides before anything runs: settings, secrets, the claim on DATA_DIR, ports, restarts. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../dev/stores/process.ts'
import type { RunningChild } from '../../dev/stores/process.ts'
import { claimDataDir } from '../../dev/up/data-dir.ts'
import { isPortTaken } from '../../dev/up/ports.ts'
import { findRunFile, removeRunFile, writeRunFile } from '../../dev/up/run-file.ts'
import { keepSecrets } from '../../dev/up/secrets.ts'
import { readUpSettings } from '../../dev/up/settings.ts'
import { Supervisor } from '../../dev/up/supervisor.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'onsale-rules-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('an empty environment means embedded stores, port 3000 and the demo', () => {
  const read = readUpSettings({})
  expect(read.ok).toBe(true)
  if (!read.ok) return
  expect(read.settings).toMatchObject({
    port: 3000,
    publicUrl: 'http://localhost:3000',
    demo: true,
    servers: 1,
  })
  expect(read.settings.databaseUrl).toBeUndefined()
})

test('every wrong variable is named, not only the first', () => {
  const wrong = {
    PORT: 'abc',
    SERVERS: '0',
    DEMO: 'maybe',
    REDIS_URL: 'http://x',
    SMTP_URL: 'x',
    JWT_SECRET: 'short',
  }
  const read = readUpSettings(wrong)
  expect(read.ok).toBe(false)
  if (read.ok) return
  for (const name of Object.keys(wrong)) expect(read.problems.join('\n')).toContain(name)
})

test('a store of one own asks for a secret of one own and brings no demo', () => {
  const external = { DATABASE_URL: 'postgres://db.example/onsale' }
  const read = readUpSettings(external)
  expect(read.ok ? [] : read.problems.join('\n')).toContain('JWT_SECRET')
  const whole = readUpSettings({ ...external, JWT_SECRET: 'x'.repeat(32) })
  expect(whole.ok && whole.settings.demo).toBe(false)
})

test('secrets are made once, kept for the owner alone, and the same afterwards', () => {
  const first = keepSecrets(dir)
  expect(Buffer.byteLength(first.jwtSecret)).toBeGreaterThanOrEqual(32)
  expect(new Set(Object.values(first.demoPasswords)).size).toBe(3)
  expect(statSync(join(dir, 'secrets.json')).mode & 0o777).toBe(0o600)
  expect(keepSecrets(dir)).toEqual(first)
})

test('a damaged secrets file is a sentence, never a new set of secrets', () => {
  writeFileSync(join(dir, 'secrets.json'), '{"jwtSe')
  expect(() => keepSecrets(dir)).toThrow('is damaged')
  expect(readFileSync(join(dir, 'secrets.json'), 'utf8')).toBe('{"jwtSe')
})

test('a file where DATA_DIR should be is one sentence', async () => {
  const path = join(dir, 'file')
  writeFileSync(path, '')
  const claim = await claimDataDir(join(path, 'data'))
  expect(claim.ok ? '' : claim.problem).toContain('cannot be written to')
})

test('a lock left by a dead or foreign process does not keep the folder', async () => {
  writeFileSync(join(dir, 'up.lock'), JSON.stringify({ pid: 99_999_999, children: [99_999_998] }))
  const first = await claimDataDir(dir)
  expect(first.ok).toBe(true)
  if (first.ok) first.release()
  writeFileSync(join(dir, 'up.lock'), 'not json')
  expect((await claimDataDir(dir)).ok).toBe(true)
})

test('run.json is readable by its owner alone, and gone when removed', () => {
  const store = { url: 'x', pid: null }
  const run = { url: 'u', pid: 1, servers: [], worker: { pid: 2 }, postgres: store, redis: store }
  writeRunFile(dir, { ...run, mailbox: null, demo: null })
  expect(statSync(join(dir, 'run.json')).mode & 0o777).toBe(0o600)
  expect(findRunFile(dir)?.worker.pid).toBe(2)
  removeRunFile(dir)
  expect(findRunFile(dir)).toBeNull()
})

test('a port somebody listens on is taken', async () => {
  const port = await freePort()
  expect(await isPortTaken(port, '127.0.0.1')).toBe(false)
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve))
  expect(await isPortTaken(port, '127.0.0.1')).toBe(true)
  await new Promise((resolve) => other.close(resolve))
})

/** A child that ends when told to. */
function makeChild(pid: number): RunningChild & { die(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { pid, exited: promise, die: resolve, stop: async () => resolve() }
}

test('a child that dies comes back, and whoever asks sees its new pid', async () => {
  const children: ReturnType<typeof makeChild>[] = []
  const back = Promise.withResolvers<void>()
  const supervisor = new Supervisor({
    changed: () => supervisor.pidOf('worker') === 101 && back.resolve(),
    gaveUp: (sentence) => back.reject(new Error(sentence)),
    say: () => {},
  })
  const start = async () => {
    const child = makeChild(100 + children.length)
    children.push(child)
    return child
  }
  await supervisor.add({ name: 'worker', stopMs: 10, start })
  supervisor.settle()
  children[0]?.die()
  await back.promise
  expect(supervisor.pidOf('worker')).toBe(101)
  await supervisor.stop([['worker']])
  expect(children).toHaveLength(2)
})

test('a child that cannot start again and again ends everything with a sentence', async () => {
  const ended = Promise.withResolvers<string>()
  const supervisor = new Supervisor({ changed: () => {}, gaveUp: ended.resolve, say: () => {} })
  const child = makeChild(1)
  let starts = 0
  const start = async () => {
    starts += 1
    if (starts > 1) throw new Error('no disk')
    return child
  }
  await supervisor.add({ name: 'postgres', stopMs: 10, start, firstPauseMs: 1 })
  supervisor.settle()
  child.die()
  expect(await ended.promise).toContain(
    'postgres failed 10 times within a minute, last: did not start (no disk)',
  )
  expect(starts).toBe(10)
})

test('a child that dies while the others still start ends the start', async () => {
  const ended = Promise.withResolvers<string>()
  const supervisor = new Supervisor({ changed: () => {}, gaveUp: ended.resolve, say: () => {} })
  const child = makeChild(1)
  await supervisor.add({ name: 'server', stopMs: 10, start: async () => child })
  child.die()
  expect(await ended.promise).toContain('server ended while Onsale was starting')
})

test('children stop group after group', async () => {
  const order: string[] = []
  const supervisor = new Supervisor({ changed: () => {}, gaveUp: () => {}, say: () => {} })
  for (const name of ['postgres', 'server', 'worker']) {
    const child = makeChild(1)
    const stop = async () => {
      order.push(name)
      child.die()
    }
    await supervisor.add({ name, stopMs: 10, start: async () => ({ ...child, stop }) })
  }
  await supervisor.stop([['server'], ['worker'], ['nobody'], ['postgres']])
  expect(order).toEqual(['server', 'worker', 'postgres'])
})
