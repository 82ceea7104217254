// Shows what a real Redis that is killed does to a line: from its file it goes on, from an older file or none nobody
// loses a place or a pass, and no number is given twice.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../dev/stores/process.ts'
import { startRedis } from '../../dev/stores/redis.ts'
import { redisReady } from '../../db/redis.ts'
import { START_WITHIN_MS, startApp, type AppHarness } from '../support/app-harness.ts'
import { closeSockets, eventually, openSocket, type TestSocket } from '../support/socket-client.ts'

const ROOM = { activeMax: 1, doorSeconds: 30, passSeconds: 600, graceSeconds: 60 }
const WAITING = 20
const RETRY_MS = 500
const BACK_WITHIN_MS = 15_000
const WITHIN_MS = 60_000
/** More than Redis holds besides. */
const FILLER_BYTES = 4_000_000
const cacheDir = join(import.meta.dir, '../../.cache')

let dir: string
let port: number
let redis: Awaited<ReturnType<typeof startRedis>>
let one: AppHarness
let two: AppHarness
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'onsale-lost-redis-'))
  port = await freePort()
  redis = await startRedis({ dir, cacheDir, port })
  one = await startApp({ redisUrl: redis.url })
  two = await startApp({ redisUrl: redis.url, serverIndex: 1 }, one)
  await Promise.all([redisReady(one.context.redis), redisReady(two.context.redis)])
}, START_WITHIN_MS)
afterEach(closeSockets)
afterAll(async () => {
  await two.close()
  await one.close()
  await redis.stop()
  rmSync(dir, { recursive: true, force: true })
}, START_WITHIN_MS)

/** Kills Redis, does something to its files, and starts it again. */
async function restart(meanwhile: () => void): Promise<void> {
  process.kill(redis.pid, 'SIGKILL')
  await redis.exited
  meanwhile()
  redis = await startRedis({ dir, cacheDir, port })
}
const file = () => join(dir, 'appendonlydir')

/** One person with a pass, and others who wait on both servers. */
async function aLine() {
  const { eventId } = await one.event({ room: ROOM })
  const admitted = await one.person()
  const first = await openSocket(one.url, eventId, { token: admitted.token })
  first.send({ type: 'join' })
  await first.next('joined')
  await first.next('turn')
  first.send({ type: 'claim' })
  const { pass } = await first.next('admitted')
  const waiting = await enterAll(eventId, WAITING)
  // A second, so that each server has said what it remembers.
  await Bun.sleep(1_500)
  return { eventId, first, pass, admitted, waiting }
}

async function enterAll(eventId: string, count: number) {
  const people = await one.people(count)
  return Promise.all(
    people.map(async ({ token }, i) => {
      const socket = await openSocket((i % 2 === 0 ? one : two).url, eventId, { token })
      return { socket, ...(await enter(socket)) }
    }),
  )
}

/** As every client does: what is away for a moment is asked again. */
async function enter(socket: TestSocket) {
  const deadline = Date.now() + BACK_WITHIN_MS
  for (;;) {
    const told = socket.frames.length
    socket.send({ type: 'join' })
    await eventually('an answer', () =>
      socket.frames.slice(told).some(({ type }) => type === 'joined' || type === 'error'),
    )
    const joined = socket.frames.slice(told).find((frame) => frame.type === 'joined')
    if (joined || Date.now() > deadline) return joined ?? socket.next('joined')
    await Bun.sleep(RETRY_MS)
  }
}

async function expectPlaces(waiting: { socket: TestSocket; number: number }[]): Promise<void> {
  for (const { socket, number } of waiting) {
    expect(socket.frames.findLast((frame) => frame.type === 'joined')).toMatchObject({ number })
    expect(socket.has('ended')).toBe(false)
  }
}
const epochOf = async (eventId: string) => (await one.context.room.view(eventId))?.epoch

describe('a Redis that is killed', () => {
  test(
    'and comes back from its file goes on, with the same epoch and the next number',
    async () => {
      const { eventId, waiting, pass, admitted } = await aLine()
      await restart(() => {})
      await eventually(
        'the line is known again',
        () =>
          epochOf(eventId).then(
            (e) => e === 1,
            () => false,
          ),
        BACK_WITHIN_MS,
      )
      await expectPlaces(waiting)
      expect(await two.context.room.requirePass(admitted.accountId, eventId, pass)).toBe('ok')
      const [late] = await enterAll(eventId, 1)
      expect(late).toMatchObject({ number: WAITING + 1, epoch: 1 })
    },
    WITHIN_MS,
  )

  for (const [what, older] of [
    ['an older file', true],
    ['nothing', false],
  ] as const)
    test(
      `and comes back with ${what} gives every place and pass back, and no number twice`,
      async () => {
        const { eventId, first, pass, admitted, waiting } = await aLine()
        const kept = join(dir, 'kept')
        rmSync(kept, { recursive: true, force: true })
        cpSync(file(), kept, { recursive: true })
        const later = [...waiting, ...(await enterAll(eventId, 5))]
        await restart(() => {
          rmSync(file(), { recursive: true })
          if (older) cpSync(kept, file(), { recursive: true })
        })
        await eventually(
          'all are back in the next epoch',
          () => later.every(({ socket }) => socket.frames.some((f) => f.type === 'joined' && f.epoch === 2)),
          BACK_WITHIN_MS,
        )
        await expectPlaces(later)
        const [newcomer] = await enterAll(eventId, 1)
        expect(newcomer!.number).toBeGreaterThan(Math.max(...later.map(({ number }) => number)))
        await eventually('the pass counts', async () => (await one.context.room.view(eventId))!.active === 1)
        expect(await two.context.room.requirePass(admitted.accountId, eventId, pass)).toBe('ok')
        first.send({ type: 'leave' })
        const next = later.find(({ number }) => number === 1)!
        await next.socket.next('turn', () => true, 25_000)
      },
      WITHIN_MS,
    )
})

test(
  'a Redis that is full keeps the line waiting with 503; whoever is in goes on buying, and the line goes on when there is room',
  async () => {
    const { eventId, seatId } = await one.event({ room: ROOM })
    const [buyer, waiting] = await one.people(2)
    const pass = await one.admit(buyer!, eventId)
    const ask = async () =>
      (await one.call('POST', `/event/${eventId}/room/join`, { token: waiting!.token })).status
    await one.context.redis.set('filler', 'x'.repeat(FILLER_BYTES))
    await one.context.redis.config('SET', 'maxmemory', FILLER_BYTES)
    // What was read of the line counts for a second.
    await eventually('the line is away', async () => (await ask()) === 503)
    const held = await one.hold(buyer!, [seatId(0)], { 'x-admission-pass': pass })
    expect(held.status).toBe(201)
    await one.context.redis.config('SET', 'maxmemory', '0')
    await eventually('the line goes on', async () => (await ask()) === 200)
  },
  WITHIN_MS,
)

test(
  'who leaves while Redis is away has left when it is back, and the next is called',
  async () => {
    const { eventId } = await one.event({ room: ROOM })
    const [first, next] = await Promise.all(
      (await one.people(2)).map(({ token }) => openSocket(one.url, eventId, { token })),
    )
    first!.send({ type: 'join' })
    await first!.next('turn')
    first!.send({ type: 'claim' })
    await first!.next('admitted')
    next!.send({ type: 'join' })
    await next!.next('joined')

    process.kill(redis.pid, 'SIGKILL')
    await redis.exited
    first!.send({ type: 'leave' })
    expect((await first!.next('error')).code).toBe('store_unavailable')
    first!.close()
    expect(next!.has('turn')).toBe(false)
    redis = await startRedis({ dir, cacheDir, port })
    await next!.next('turn', () => true, BACK_WITHIN_MS)
  },
  WITHIN_MS,
)
