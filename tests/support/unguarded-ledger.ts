// Owns the ledger with chosen guards cut out: its real source, copied, less exactly the text of each guard.
//
// A cut has to match its file exactly once, so that a guard that moves or changes fails its test instead of no longer
// being cut. Guards of the schema are dropped and put back.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'

const root = join(import.meta.dir, '../..')

/** A guard in the source. `file` is relative to db/; `instead` defaults to nothing. */
export interface TextCut {
  file: string
  text: string
  instead?: string
}
/** A guard in the schema, by the name of its index or constraint. */
export type SchemaCut =
  | { index: string }
  | { table: string; constraint: string }
  /** A volatile function that sees no more than its statement. */
  | { function: string }
export type Cut = TextCut | SchemaCut

const isText = (cut: Cut): cut is TextCut => 'file' in cut

/** What the copy offers, as the real ledger does. */
export interface CutLedger {
  holdSeats: typeof import('../../db/bookings/hold-seats.ts').holdSeats
  commitTogether: typeof import('../../db/bookings/commit-together.ts').commitTogether
  takeFreeSeats: typeof import('../../db/bookings/take-free-seats.ts').takeFreeSeats
  commitHolds: typeof import('../../db/bookings/commit-holds.ts').commitHolds
  confirmBooking: typeof import('../../db/bookings/confirm-booking.ts').confirmBooking
  commitConfirmations: typeof import('../../db/bookings/commit-confirmations.ts').commitConfirmations
  expireDueBookings: typeof import('../../db/bookings/expire-bookings.ts').expireDueBookings
  releaseBooking: typeof import('../../db/bookings/release-booking.ts').releaseBooking
  extendBooking: typeof import('../../db/bookings/extend-booking.ts').extendBooking
  startPayment: typeof import('../../db/payments.ts').startPayment
  lockSeats: typeof import('../../db/seat-gate/seat-gate.ts').lockSeats
  settleSeats: typeof import('../../db/seat-gate/seat-gate.ts').settleSeats
}

const PARTS = [
  'bookings/hold-seats.ts',
  'bookings/commit-together.ts',
  'bookings/take-free-seats.ts',
  'bookings/commit-holds.ts',
  'bookings/confirm-booking.ts',
  'bookings/commit-confirmations.ts',
  'bookings/expire-bookings.ts',
  'bookings/release-booking.ts',
  'bookings/extend-booking.ts',
  'payments.ts',
  'seat-gate/seat-gate.ts',
]

/** Runs `use` with a ledger that lacks these guards; everything is as before afterwards. */
export async function withoutGuards<T>(
  db: Db,
  cuts: Cut[],
  use: (ledger: CutLedger) => Promise<T>,
): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'onsale-unguarded-'))
  const putBack: string[] = []
  try {
    copyWithout(dir, cuts.filter(isText))
    for (const cut of cuts) if (!isText(cut)) putBack.push(await drop(db, cut))
    const parts = await Promise.all(PARTS.map((part) => import(join(dir, 'db', part)) as Promise<object>))
    return await use(Object.assign({}, ...parts) as CutLedger)
  } finally {
    // What the missing guards let through must not stand in the way of the next scenario.
    if (cuts.length > 0) await db.execute(sql`truncate events, bookings, idempotency_keys, outbox cascade`)
    for (const statement of putBack) await db.execute(sql.raw(statement))
    rmSync(dir, { recursive: true })
  }
}

function copyWithout(dir: string, cuts: TextCut[]): void {
  cpSync(join(root, 'db'), join(dir, 'db'), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
  for (const { file, text, instead = '' } of cuts) {
    const path = join(dir, 'db', file)
    const parts = readFileSync(path, 'utf8').split(text)
    if (parts.length !== 2)
      throw new Error(`the guard is ${parts.length - 1} times in db/${file}, not once: ${text}`)
    writeFileSync(path, parts.join(instead))
  }
}

/** Answers the statement that puts it back. */
async function drop(db: Db, cut: SchemaCut): Promise<string> {
  if ('index' in cut) {
    const [row] = await db.execute<{ def: string }>(
      sql`select pg_get_indexdef(${cut.index}::regclass) as def`,
    )
    await db.execute(sql.raw(`drop index ${cut.index}`))
    return row!.def
  }
  if ('function' in cut) {
    await db.execute(sql.raw(`alter function ${cut.function} stable`))
    return `alter function ${cut.function} volatile`
  }
  const { table, constraint } = cut
  const [row] = await db.execute<{ def: string }>(
    sql`select pg_get_constraintdef(oid) as def from pg_constraint where conname = ${constraint}`,
  )
  await db.execute(sql.raw(`alter table ${table} drop constraint ${constraint}`))
  return `alter table ${table} add constraint ${constraint} ${row!.def}`
}
