// Shows that a surge fails when it must: a seat sold twice behind the servers' back, and a line that stands still.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { connectLedger, type Ledger } from '../../db/client.ts'
import { connectRedis, redisReady, type RedisClient } from '../../db/redis.ts'
import { findK6 } from '../../dev/surge/find-k6.ts'
import { writeRunFile } from '../../dev/up/run-file.ts'
import { startWholeStack, type WholeStack } from '../../dev/whole-stack.ts'
import { roomKey } from '../../server/room/keys.ts'
import { eventually } from '../support/socket-client.ts'

const ROOT = join(import.meta.dir, '../..')
const START_MS = 120_000
const SURGE_MS = 90_000
const dir = mkdtempSync(join(tmpdir(), 'onsale-planted-'))
const found = await findK6({ env: process.env, cacheDir: join(ROOT, '.cache') })
/** What is planted is only seen by a real surge. */
const withK6 = found.ok ? test : test.skip
if (!found.ok) console.log(`k6 is not here, so no surge was run: ${found.problem}`)

let stack: WholeStack | undefined
let ledger: Ledger | undefined
let redis: RedisClient | undefined
beforeAll(async () => {
  if (!found.ok) return
  stack = await startWholeStack({ RATE_LIMIT: 'off' })
  writeRunFile(dir, stack.run)
  ledger = connectLedger(stack.run.postgres.url, { max: 1, name: 'onsale-test' })
  redis = connectRedis(stack.run.redis.url, { role: 'subscriber', name: 'onsale-test' })
  await redisReady(redis)
}, START_MS)
afterAll(async () => {
  redis?.disconnect()
  await ledger?.close()
  await stack?.stop()
  rmSync(dir, { recursive: true, force: true })
}, START_MS)

async function surge(scenario: string, sizes: Record<string, number>) {
  const given = Object.entries(sizes).flatMap(([name, value]) => ['-e', `${name}=${value}`])
  const child = Bun.spawn([process.execPath, join(ROOT, 'dev/surge.ts'), scenario, ...given], {
    env: { ...process.env, DATA_DIR: dir, ...(found.ok ? { GOBIN: dirname(found.k6.program) } : {}) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [said] = await Promise.all([child.stdout, child.stderr].map((stream) => new Response(stream).text()))
  return { code: await child.exited, verdict: said!.trimEnd().split('\n').at(-1) ?? '' }
}

/** What is asked here is who gets what, not how fast. */
const PATIENCE = 50
const SPIKE = { BUYERS: 40, ACTIVE_MAX: 20, GIVE_UP_SECONDS: 8, PATIENCE }
const CONFLICT = { SEATS: 20, BUYERS: 50, ATTEMPTS: 400, PATIENCE }

withK6(
  'a line that stands still fails the arrival spike, which passes when it moves',
  async () => {
    const moving = await surge('arrival-spike', SPIKE)
    expect(moving.verdict).toMatch(/^arrival-spike +passed, audit clean$/)
    expect(moving.code).toBe(0)
    const began = new Date()
    const stalling = surge('arrival-spike', SPIKE)
    await plantStandstill(await saleSince(began, 'rooms'))
    const stalled = await stalling
    expect(stalled.verdict).toMatch(/^arrival-spike +FAILED: .*\bnever_admitted is \d+, asked was count==0/)
    expect(stalled.code).toBe(1)
  },
  2 * SURGE_MS,
)

withK6(
  'a seat sold twice fails the conflict, by its audit, which passes before',
  async () => {
    const honest = await surge('conflict', CONFLICT)
    expect(honest.verdict).toMatch(/^conflict +passed, audit clean$/)
    expect(honest.code).toBe(0)
    const began = new Date()
    const selling = surge('conflict', CONFLICT)
    await plantDoubleSale(await saleSince(began, 'bookings'))
    const sold = await selling
    expect(sold.verdict).toMatch(/^conflict +FAILED: .*audit: I1 +BROKEN no seat is in two live bookings/)
    expect(sold.code).toBe(1)
  },
  2 * SURGE_MS,
)

/** The event a surge has prepared since, as soon as it has any of these. */
async function saleSince(began: Date, having: 'rooms' | 'bookings'): Promise<string> {
  const { sql } = ledger!
  let eventId = ''
  await eventually(
    `the surge has ${having}`,
    async () => {
      const [row] = await sql<{ id: string }[]>`
        select e.id from events e join ${sql(having)} h on h.event_id = e.id
        where e.created_at > ${began.toISOString()} and e.name like 'Surge: %' limit 1`
      eventId = row?.id ?? ''
      return eventId !== ''
    },
    SURGE_MS,
  )
  return eventId
}

/** Nobody's clock ticks: the lease is with a server that does not exist. Who comes still gets a place. */
async function plantStandstill(eventId: string): Promise<void> {
  const meta = roomKey(eventId, 'meta')
  await eventually('the room is open', async () => (await redis!.hexists(meta, 'epoch')) === 1)
  await redis!.hset(meta, { leaseOwner: 'nobody', leaseUntil: Date.now() + SURGE_MS })
}

/** Takes the guarantee away, and doubles the first live booking there is. */
async function plantDoubleSale(eventId: string): Promise<void> {
  const { sql } = ledger!
  await sql`drop index booking_seats_live_key`
  await sql`
    with one as (select event_id, id from bookings where event_id = ${eventId} order by id limit 1),
    twin as (
      insert into bookings
      select (jsonb_populate_record(b, jsonb_build_object('id', gen_random_uuid()))).*
      from one join bookings b on b.event_id = one.event_id and b.id = one.id
      returning event_id, id
    )
    insert into booking_seats (event_id, booking_id, n, price)
    select twin.event_id, twin.id, bs.n, bs.price
    from twin, one join booking_seats bs on bs.event_id = one.event_id and bs.booking_id = one.id`
}
