// Shows a whole sale on a real Redis Cluster of three masters: line, gate, rates, jobs and announcements.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { runAudit } from '../../db/audit.ts'
import { connectRedis, redisReady } from '../../db/redis.ts'
import { roomKeys } from '../../server/room/keys.ts'
import { START_WITHIN_MS, startApp, type AppHarness } from '../support/app-harness.ts'
import { startBackOffice } from '../support/back-office.ts'
import { startCluster, type TestCluster } from '../support/cluster.ts'
import { closeSockets, eventually, openSocket } from '../support/socket-client.ts'

const ROOM = { activeMax: 2, doorSeconds: 30, passSeconds: 600, graceSeconds: 60 }
const HOLD_SECONDS = 5
const EXPIRED_WITHIN_MS = 15_000

let cluster: TestCluster
let one: AppHarness
let two: AppHarness
let worker: { stop(): Promise<void> }

beforeAll(async () => {
  cluster = await startCluster()
  one = await startApp({ redisUrl: cluster.url })
  two = await startApp({ redisUrl: cluster.url, serverIndex: 1 }, one)
  await Promise.all([redisReady(one.context.redis), redisReady(two.context.redis)])
  worker = startBackOffice(one, cluster.url)
}, START_WITHIN_MS)
afterEach(closeSockets)
afterAll(async () => {
  await worker?.stop()
  await two?.close()
  await one?.close()
  await cluster?.close()
}, START_WITHIN_MS)

describe('a sale on a cluster', () => {
  test('goes from joining to tickets, and what is not paid expires', async () => {
    const { eventId, seatId } = await one.event({ room: ROOM, holdSeconds: HOLD_SECONDS })
    const [buyer, idler, later] = await one.people(3)
    const sockets = []
    for (const [i, who] of [buyer!, idler!, later!].entries()) {
      const socket = await openSocket((i % 2 === 0 ? one : two).url, eventId, { token: who.token })
      socket.send({ type: 'watch' })
      socket.send({ type: 'join' })
      expect((await socket.next('joined')).number).toBe(i)
      sockets.push(socket)
    }
    const pass = []
    for (const socket of sockets.slice(0, 2)) {
      await socket.next('turn')
      socket.send({ type: 'claim' })
      pass.push((await socket.next('admitted')).pass)
    }
    expect(sockets[2]!.has('turn')).toBe(false)

    const held = await one.hold(buyer!, [seatId(0), seatId(1)], { 'x-admission-pass': pass[0]! })
    expect(held.status).toBe(201)
    const other = await two.hold(idler!, [seatId(1)], { 'x-admission-pass': pass[1]! })
    expect(other.body.code).toBe('seat_taken')
    const idle = await two.hold(idler!, [seatId(2)], { 'x-admission-pass': pass[1]! })
    expect(idle.status).toBe(201)
    await sockets[2]!.next('seats', ({ changes }) => changes.some(([n]) => n === 2))

    const paid = await two.call('POST', `/payment/${held.body.data.id}/confirm`, {
      token: buyer!.token,
      body: { method: 'sandbox_ok' },
      headers: { 'idempotency-key': 'once' },
    })
    expect(paid.status).toBe(200)
    await eventually(
      'the hold that nobody paid has expired',
      async () =>
        (await one.call('GET', `/booking/${idle.body.data.id}`, { token: idler!.token })).body.data.status ===
        'EXPIRED',
      EXPIRED_WITHIN_MS,
    )
    await sockets[2]!.next('seats', ({ changes }) => changes.some(([n, code]) => n === 2 && code === 0))

    sockets[0]!.send({ type: 'leave' })
    await sockets[2]!.next('turn')
    const findings = await runAudit({ db: one.context.ledger.db, redis: one.context.redis })
    expect(findings.filter(({ ok }) => !ok)).toEqual([])
  }, 60_000)

  test('keeps all keys of one event on one master, events spread over all', async () => {
    const client = connectRedis(cluster.url, { role: 'commands', name: 'test-keys' })
    await redisReady(client)
    const found = new Map<string, Set<number>>()
    for (const [index, master] of cluster.masters.entries())
      for (const key of await master.keys('*')) {
        const eventId = /\{([0-9a-f-]{36})\}/.exec(key)?.[1]
        if (eventId) found.set(eventId, (found.get(eventId) ?? new Set()).add(index))
      }
    expect(found.size).toBeGreaterThan(0)
    for (const masters of found.values()) expect(masters.size).toBe(1)
    client.disconnect()
  })

  test('goes on when the slot of its event moves to another master', async () => {
    const { eventId } = await one.event({ room: { ...ROOM, activeMax: 1 } })
    const people = await one.people(3)
    const sockets = []
    for (const { token } of people) {
      const socket = await openSocket(one.url, eventId, { token })
      socket.send({ type: 'join' })
      await socket.next('joined')
      sockets.push(socket)
    }
    await sockets[0]!.next('turn')
    const key = roomKeys(eventId)[0]!
    await cluster.moveSlot(key, ((await cluster.masterOf(key)) + 1) % cluster.masters.length)
    sockets[0]!.send({ type: 'claim' })
    await sockets[0]!.next('admitted', () => true, 15_000)
    sockets[0]!.send({ type: 'leave' })
    await sockets[1]!.next('turn', () => true, 15_000)
    const late = await openSocket(two.url, eventId, { token: (await one.person()).token })
    late.send({ type: 'join' })
    expect(await late.next('joined')).toMatchObject({ number: 3, epoch: 1 })
  }, 60_000)
})
