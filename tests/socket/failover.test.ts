// Shows a line and its seats on a Redis Cluster that whose master with the event falls silent in the midst of a sale:
// the replica takes over, nobody's number is given twice, holds go on.
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runAudit } from '../../db/audit.ts'
import { redisReady } from '../../db/redis.ts'
import { startRedisCluster, type RedisCluster } from '../../dev/stores/redis-cluster.ts'
import { roomKey } from '../../server/room/keys.ts'
import { START_WITHIN_MS, startApp, type AppHarness } from '../support/app-harness.ts'
import { closeSockets, eventually, openSocket } from '../support/socket-client.ts'

const ROOM = { activeMax: 2, doorSeconds: 60, passSeconds: 600, graceSeconds: 60 }
const NODE_TIMEOUT_MS = 1_000
const GOES_ON_WITHIN_MS = 20_000

const dir = mkdtempSync(join(tmpdir(), 'onsale-failover-'))
let cluster: RedisCluster
let app: AppHarness
beforeAll(async () => {
  const cacheDir = join(import.meta.dir, '../../.cache')
  cluster = await startRedisCluster({ dir, cacheDir, nodeTimeoutMs: NODE_TIMEOUT_MS, password: 'asked' })
  app = await startApp({ redisUrl: cluster.url, rateLimit: false })
  await redisReady(app.context.redis)
}, START_WITHIN_MS)
afterEach(closeSockets)
afterAll(async () => {
  await app?.close()
  await cluster?.stop()
  rmSync(dir, { recursive: true, force: true })
}, START_WITHIN_MS)

test('a sale goes on when the master that holds its event falls silent', async () => {
  const { eventId, seatId } = await app.event({ room: ROOM })
  const people = await app.people(4)
  const sockets = []
  for (const { token } of people.slice(0, 3)) {
    const socket = await openSocket(app.url, eventId, { token })
    socket.send({ type: 'join' })
    await socket.next('joined')
    sockets.push(socket)
  }
  const passes: string[] = []
  for (const socket of sockets.slice(0, 2)) {
    await socket.next('turn')
    socket.send({ type: 'claim' })
    passes.push((await socket.next('admitted')).pass)
  }
  const hold = (who: number, n: number) =>
    app.hold(people[who]!, [seatId(n)], { 'x-admission-pass': passes[who]! })
  expect((await hold(0, 0)).status).toBe(201)

  const key = roomKey(eventId, 'meta')
  const master = await cluster.masterOf(key)
  process.kill(master.pid, 'SIGSTOP')
  const told = new Set<number>()
  let n = 1
  await eventually(
    'somebody can hold seats again',
    async () => {
      const { status } = await hold(1, n)
      told.add(status)
      if (status === 201) n += 1
      return n > 1 && (await cluster.masterOf(key).catch(() => master)) !== master
    },
    GOES_ON_WITHIN_MS,
  )
  expect([...told].filter((status) => status >= 500 && status !== 503)).toEqual([])

  sockets[0]!.send({ type: 'leave' })
  await sockets[2]!.next('turn', () => true, GOES_ON_WITHIN_MS)
  const late = await openSocket(app.url, eventId, { token: people[3]!.token })
  late.send({ type: 'join' })
  expect((await late.next('joined', () => true, GOES_ON_WITHIN_MS)).number).toBeGreaterThan(2)
  const { db } = app.context.ledger
  await eventually(
    'the audit is clean',
    async () => (await runAudit({ db, redis: app.context.redis })).every(({ ok }) => ok),
    GOES_ON_WITHIN_MS,
  )
}, 90_000)
