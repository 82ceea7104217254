// postgres.js 3.4.9 lets a transaction run on after its back end died (porsager/postgres #1186): what it writes then
// is committed by itself. Shown with the guard off, so that a repaired driver is noticed; then with it on.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { connectLedger, inTransaction, type Tx } from '../../db/client.ts'
import { freshStores, type FreshStores } from '../support/stores.ts'
import { STORES_WITHIN_MS, until } from '../support/a-ledger.ts'

let stores: FreshStores
let admin: postgres.Sql
beforeAll(async () => {
  stores = await freshStores()
  admin = postgres(stores.databaseUrl, { max: 1, onnotice: () => {} })
  await admin`create table diary (what text not null)`
}, STORES_WITHIN_MS)
afterAll(async () => {
  await admin.end({ timeout: 1 })
  await stores.close()
})

async function backendOf(tx: Tx): Promise<number> {
  const [row] = await tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)
  return row!.pid
}

/** Kills the back end in the middle of a transaction, and has the transaction write once more afterwards. */
async function dieMidway(guarded: boolean, label: string): Promise<string[]> {
  const ledger = connectLedger(stores.databaseUrl, { max: 1, name: label, guarded })
  let callbackEnded = false
  const move = inTransaction(ledger.db, async (tx) => {
    await tx.execute(sql`insert into diary values (${`${label} first`})`)
    const pid = await backendOf(tx)
    await admin`select pg_terminate_backend(${pid})`
    // What an incident looks like: the transaction waits for something while others make the pool reconnect.
    await until(() =>
      ledger.sql`select 1`.then(
        () => true,
        () => false,
      ),
    )
    try {
      await tx.execute(sql`insert into diary values (${`${label} second`})`)
    } finally {
      callbackEnded = true
    }
  })
  await move.catch(() => {})
  await until(() => callbackEnded)
  await Bun.sleep(200)
  // The pool is usable again, and nobody's COMMIT is on its way.
  await Promise.race([ledger.db.execute(sql`select 1`), Bun.sleep(3_000)])
  await ledger.close()
  const rows = await admin<{ what: string }[]>`select what from diary where what like ${`${label} %`}`
  return rows.map(({ what }) => what)
}

describe('a back end that dies inside a transaction', () => {
  test('without the guard, half of the transaction is committed', async () => {
    expect(await dieMidway(false, 'unguarded')).toEqual(['unguarded second'])
  })

  test('with the guard, nothing of it is', async () => {
    expect(await dieMidway(true, 'guarded')).toEqual([])
  })

  test("with the guard, another's transaction is not ended by the dead one's COMMIT", async () => {
    const ledger = connectLedger(stores.databaseUrl, { max: 1, name: 'two' })
    const { promise: gate, resolve: carryOn } = Promise.withResolvers<void>()
    const dying = inTransaction(ledger.db, async (tx) => {
      const pid = await backendOf(tx)
      await admin`select pg_terminate_backend(${pid})`
      await gate
    }).catch(() => 'lost')
    expect(await dying).toBe('lost')
    const other = inTransaction(ledger.db, async (tx) => {
      await tx.execute(sql`insert into diary values ('other')`)
      carryOn()
      await Bun.sleep(200)
      return { ok: false } as const
    })
    expect(await other).toEqual({ ok: false })
    expect(await admin`select 1 from diary where what = 'other'`).toHaveLength(0)
    await ledger.close()
  })
})
