// A dump taken in the middle of a sale, brought back into empty stores, is a whole sale: audited clean, and going on.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { runAudit } from '../../db/audit.ts'
import { confirmBooking } from '../../db/bookings/confirm-booking.ts'
import type { Gate } from '../../db/bookings/gate.ts'
import { holdSeats } from '../../db/bookings/hold-seats.ts'
import { refundBooking } from '../../db/bookings/refund-booking.ts'
import { connectLedger } from '../../db/client.ts'
import { connectRedis, redisReady } from '../../db/redis.ts'
import { reconcileSeats } from '../../db/seat-gate/reconcile.ts'
import {
  aBuyer,
  aCapture,
  aHold,
  anEvent,
  openTestLedger,
  refusalOf,
  STORES_WITHIN_MS,
  type TestLedger,
} from '../support/a-ledger.ts'
import { freshStores, type FreshStores } from '../support/stores.ts'

const SEATS = 400
const SOLD = 40
const tools = await findTools()

/** pg_dump reads no server newer than itself: this runs where both come from one PostgreSQL. */
async function findTools(): Promise<string | undefined> {
  const url = process.env['TEST_DATABASE_URL']
  if (!url) return undefined
  const client = postgres(url, { max: 1 })
  const [row] = await client`show server_version_num`
  await client.end()
  const major = Math.floor(Number(row!['server_version_num']) / 10_000)
  const folder = `/usr/lib/postgresql/${major}/bin`
  return existsSync(join(folder, 'pg_dump')) ? folder : undefined
}

let t: TestLedger
let empty: FreshStores
let dir: string
beforeAll(async () => {
  t = await openTestLedger()
  empty = await freshStores()
  dir = mkdtempSync(join(tmpdir(), 'onsale-dump-'))
}, STORES_WITHIN_MS)
afterAll(async () => {
  rmSync(dir, { recursive: true, force: true })
  await empty.close()
  await t.close()
}, STORES_WITHIN_MS)

async function run(...words: string[]) {
  const child = Bun.spawn(words, { stdout: 'pipe', stderr: 'pipe' })
  const said = await new Response(child.stderr).text()
  if ((await child.exited) !== 0) throw new Error(`${words[0]}: ${said}`)
}

test.skipIf(!tools)(
  'a dump of a running sale, restored into an empty stack, keeps what was acknowledged and passes the audit',
  async () => {
    const eventId = await anEvent(t.db, { seats: SEATS })
    const paid: string[] = []
    for (let n = 0; n < SOLD; n += 1) {
      const booking = await aHold(t.gate, { eventId, seats: [n] })
      const { id: bookingId, accountId } = booking
      await confirmBooking(t.gate, { bookingId, accountId, payment: aCapture(booking) })
      paid.push(bookingId)
    }
    await refundBooking(t.gate, { bookingId: paid.pop()!, reason: 'asked for' })

    const dumped = new AbortController()
    const crowd = (async () => {
      for (let n = SOLD; !dumped.signal.aborted && n < SEATS; n += 1) {
        const booking = await aHold(t.gate, { eventId, seats: [n] })
        const { id: bookingId, accountId } = booking
        if (n % 2 === 0) await confirmBooking(t.gate, { bookingId, accountId, payment: aCapture(booking) })
      }
    })()
    const file = join(dir, 'sale.dump')
    await run(join(tools!, 'pg_dump'), '--format=custom', `--file=${file}`, t.stores.databaseUrl)
    dumped.abort()
    await crowd
    await run(
      join(tools!, 'pg_restore'),
      '--clean',
      '--if-exists',
      '--no-owner',
      '--exit-on-error',
      `--dbname=${empty.databaseUrl}`,
      file,
    )

    const ledger = connectLedger(empty.databaseUrl, { max: 4, name: 'restored' })
    const redis = connectRedis(empty.redisUrl, { role: 'commands', name: 'restored' })
    try {
      await redisReady(redis)
      const restored: Gate = { db: ledger.db, redis, onFault: () => undefined }
      await reconcileSeats({ db: ledger.db, redis }, eventId)
      const lines = await runAudit({ db: ledger.db, redis })
      expect(lines.map(({ id }) => id)).toHaveLength(12)
      expect(lines.filter(({ ok }) => !ok)).toEqual([])
      const kept = await ledger.db.execute(
        sql`select id from bookings where status = 'CONFIRMED' and event_id = ${eventId}`,
      )
      const ids = new Set([...kept].map(({ id }) => id))
      expect(paid.filter((id) => !ids.has(id))).toEqual([])

      const hold = async (n: number) =>
        refusalOf(await holdSeats(restored, { eventId, accountId: await aBuyer(ledger.db), seats: [n] }))
      expect(await hold(0)).toBe('seat_taken')
      expect(await hold(SEATS - 1)).toBe('held')
      expect(await hold(SEATS - 1)).toBe('seat_taken')
    } finally {
      redis.disconnect()
      await ledger.close()
    }
  },
  STORES_WITHIN_MS,
)
