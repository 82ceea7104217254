// Owns the connection to Postgres: its time limits, its transactions and the guard around the driver's.
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import postgres, { type Sql } from 'postgres'
import * as schema from './schema.ts'

export type Db = PostgresJsDatabase<typeof schema>
/** What a move writes through: the database inside one transaction. */
export type Tx = Parameters<Parameters<Db['transaction']>[0]>[0]
/** A read may run in or out of a transaction. */
export type Reader = Db | Tx

/** A statement that takes longer has gone wrong: a reservation takes a few milliseconds. */
const STATEMENT_TIMEOUT_MS = 10_000
/** Seats are locked for one short transaction; waiting longer for them means somebody hangs. */
const LOCK_TIMEOUT_MS = 3_000
/** Only database awaits happen inside a transaction, so an idle one belongs to a dead process. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000
/**
 * Rows of a sale are few and in memory: reading one through an index costs no more than a page. With the default, made
 * for disks, the planner reads whole tables for a hundred rows; compiling a statement of milliseconds never pays.
 * A plan is kept while its table grows: one made when a table filled a page, also for a check of references, read all of
 * it for every seat of a sale's first minute. What an index cannot answer is still read from end to end.
 */
// Words, since the driver leaves out what is false.
const PLANNER = { random_page_cost: 1.1, jit: 'off', enable_seqscan: 'off' }
const CONNECT_TIMEOUT_SECONDS = 5
/** The driver's own backoff grows to 20 s; a restarted Postgres must be used again at once. */
const RECONNECT_BACKOFF_SECONDS = 0.1
/** Characters of a text that Drizzle builds anew each time; those built once are few, whatever their length (statement.ts). */
const PREPARED_TEXT_MAX = 4_000
const CLOSE_TIMEOUT_SECONDS = 5
const RETRIES_MAX = 3
const RETRY_JITTER_MS = 40
const SERIALIZATION_FAILURE = '40001'
const DEADLOCK_DETECTED = '40P01'

export interface LedgerOptions {
  /** Connections of this process. */
  max: number
  /** Shown in pg_stat_activity. */
  name: string
  /** Only a test that shows the driver's defect turns the guard off. */
  guarded?: boolean
  statementTimeoutMs?: number
}

export interface Ledger {
  db: Db
  /** The driver itself, for COPY-like bulk work and LISTEN-free probes; it shares db's connections and options. */
  sql: Sql
  close(): Promise<void>
}

/** Opens a pool; connects on first use. */
export function connectLedger(url: string, options: LedgerOptions): Ledger {
  const sql = postgres(url, {
    max: options.max,
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    backoff: () => RECONNECT_BACKOFF_SECONDS,
    onnotice: () => {},
    connection: {
      application_name: options.name,
      statement_timeout: options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
      ...PLANNER,
    },
  })
  sql.unsafe = prepared(sql.unsafe.bind(sql) as RunText) as typeof sql.unsafe
  if (options.guarded !== false) guardTransactions(sql)
  return { db: drizzle(sql, { schema }), sql, close: () => sql.end({ timeout: CLOSE_TIMEOUT_SECONDS }) }
}

/** A refusal returned from a move: expected, and the reason to roll back. */
export interface Refused {
  ok: false
}

class RolledBack extends Error {
  constructor(readonly outcome: Refused) {
    super('rolled back by a refusal')
  }
}

/**
 * Runs one move. A returned `{ ok: false }` rolls back and is returned; a thrown fault rolls back and is thrown.
 * Serialization failures and deadlocks are tried again, the whole move, at most three times.
 * Inside `move` only the database may be awaited (ADR 2).
 */
export async function inTransaction<T>(db: Db, move: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await db.transaction(async (tx) => {
        const outcome = await move(tx)
        if (isRefused(outcome)) throw new RolledBack(outcome)
        return outcome
      })
    } catch (fault) {
      if (fault instanceof RolledBack) return fault.outcome as T
      const code = postgresCode(fault)
      if (attempt >= RETRIES_MAX || (code !== SERIALIZATION_FAILURE && code !== DEADLOCK_DETECTED))
        throw fault
      await Bun.sleep(Math.random() * RETRY_JITTER_MS)
    }
  }
}

function isRefused(outcome: unknown): outcome is Refused {
  return typeof outcome === 'object' && outcome !== null && 'ok' in outcome && outcome.ok === false
}

/** The SQLSTATE (or the driver's own code) behind a fault, looking through Drizzle's wrapper; null when there is none. */
export function postgresCode(fault: unknown): string | null {
  for (let error = fault; error instanceof Error; error = error.cause)
    if ('code' in error && typeof error.code === 'string') return error.code
  return null
}

/** True when the fault says that Postgres could not be reached or went away, rather than that a statement was wrong. */
export function isStoreLost(fault: unknown): boolean {
  const code = postgresCode(fault)
  if (code === null) return false
  const lost = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'CONNECT_TIMEOUT', '57P01', '57P02', '57P03', '53300']
  return lost.includes(code) || code.startsWith('CONNECTION_') || code.startsWith('08')
}

/** Postgres is there but cannot work: its disk is full, its memory is short, a lock or a statement took too long. */
const UNABLE = ['58030', '55P03', '57014', SERIALIZATION_FAILURE, DEADLOCK_DETECTED]
const OUT_OF_RESOURCES = '53'
/** What every statement is told after the first of its transaction has failed. */
const ABORTED = '25P02'

/** True when asking again later may help, whether Postgres is away or is there and cannot. */
export function isStoreUnable(fault: unknown): boolean {
  const code = postgresCode(fault)
  return isStoreLost(fault) || (code !== null && (UNABLE.includes(code) || code.startsWith(OUT_OF_RESOURCES)))
}

/** The connection went while it was in use. */
const GONE = [
  '57P01',
  '57P02',
  'ECONNRESET',
  'EPIPE',
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_LOST',
]

/** True when only asking tells whether what was asked for was done: the driver does not say why a connection went. */
export const isInDoubt = (fault: unknown): boolean => GONE.includes(postgresCode(fault) ?? '')

type RunText = (text: string, parameters?: unknown[], options?: { prepare?: boolean }) => unknown

/**
 * Drizzle sends every query unprepared, so that Postgres parses and plans it anew and the driver waits for its
 * description first: holds and confirmations reached 0.6 of the rate they have prepared. A statement with a long list
 * of parameters is one of many that differ by its length; preparing those would fill each connection's memory.
 */
function prepared(run: RunText): RunText {
  return (text, parameters, options) =>
    run(text, parameters, {
      ...options,
      prepare: options?.prepare === true || text.length <= PREPARED_TEXT_MAX,
    })
}

type Begin = (...args: unknown[]) => Promise<unknown>
type TransactionClient = object & { unsafe: RunText; savepoint: Begin }

interface TransactionState {
  /** Its connection went. */
  lost: boolean
  /** Of the first statement that failed. */
  fault: unknown
}

/**
 * Closes a hole of postgres.js 3.4.9: when its back end dies, `begin()` rejects, but the callback runs on, its next
 * statement commits by itself on the replacement connection, and its COMMIT or ROLLBACK may end somebody else's
 * transaction. After the connection is lost, every statement of the callback is refused here, and the callback's end
 * is never reported to the driver, which therefore sends nothing.
 */
function guardTransactions(sql: Sql): void {
  const begin = sql.begin.bind(sql) as Begin
  const guarded: Begin = (...args) => {
    const callback = args.pop() as (tx: TransactionClient) => Promise<unknown>
    const state: TransactionState = { lost: false, fault: null }
    const ended = begin(...args, async (tx: TransactionClient) => {
      const outcome = await Promise.allSettled([callback(guardClient(tx, state))])
      if (state.lost) return new Promise(() => {})
      if (outcome[0].status === 'fulfilled') return outcome[0].value
      // Of statements sent together, one that was only told of the failure may be heard before the one that failed.
      throw postgresCode(outcome[0].reason) === ABORTED
        ? (state.fault ?? outcome[0].reason)
        : outcome[0].reason
    })
    return ended.catch((fault: unknown) => {
      state.lost = true
      throw fault
    })
  }
  sql.begin = guarded as typeof sql.begin
}

function guardClient(tx: TransactionClient, state: TransactionState): TransactionClient {
  const refuseWhenLost = () => {
    if (state.lost)
      throw Object.assign(new Error('the connection of this transaction was lost'), {
        code: 'CONNECTION_LOST',
      })
  }
  /** A statement that fails because the connection went marks the transaction at once, before begin() rejects. */
  const watch = (query: unknown) => {
    if (query instanceof Promise)
      query.catch((fault: unknown) => {
        state.fault ??= fault
        if (isStoreLost(fault)) state.lost = true
      })
    return query
  }
  return new Proxy(tx, {
    apply(target, self, args) {
      refuseWhenLost()
      return Reflect.apply(target as unknown as (...a: unknown[]) => unknown, self, args)
    },
    get(target, property) {
      if (property === 'unsafe')
        return (...args: Parameters<RunText>) => {
          refuseWhenLost()
          return watch(prepared(target.unsafe)(...args))
        }
      if (property === 'savepoint')
        return (...args: unknown[]) => {
          refuseWhenLost()
          const callback = args.pop() as (inner: TransactionClient) => Promise<unknown>
          return target.savepoint(...args, (inner: TransactionClient) => callback(guardClient(inner, state)))
        }
      return Reflect.get(target, property)
    },
  })
}
