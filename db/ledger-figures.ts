// Owns what can be measured of the ledger from outside: how full, how busy, and what waits in it.
import { eq } from 'drizzle-orm'
import type { Ledger } from './client.ts'
import { countDeadLetters, outboxOldestSeconds } from './outbox.ts'
import { bookings } from './schema.ts'

export interface LedgerFigures {
  outboxOldestSeconds: number
  bookingsPending: number
  deadLetters: number
  /** Of this database, by PostgreSQL's word for their state. */
  connections: Record<ConnectionState, number>
  connectionsMax: number
  lockWaits: number
  longestTransactionSeconds: number
  /** Since the statistics of the database began. */
  committed: number
  rolledBack: number
  deadlocks: number
  sizeBytes: number
}
const STATES = ['active', 'idle', 'idle in transaction'] as const
type ConnectionState = (typeof STATES)[number]

/** Throws when PostgreSQL does not answer. */
export async function measureLedger({ db, sql }: Pick<Ledger, 'db' | 'sql'>): Promise<LedgerFigures> {
  const [outboxOldest, bookingsPending, deadLetters, rows] = await Promise.all([
    outboxOldestSeconds(db),
    db.$count(bookings, eq(bookings.status, 'PENDING')),
    countDeadLetters(db),
    sql<ServerRow[]>`
      select coalesce(a.state, 'other') as state, a.connections, a.lock_waits, a.longest,
        d.xact_commit::float8 as committed, d.xact_rollback::float8 as rolled_back, d.deadlocks::float8 as deadlocks,
        pg_database_size(d.datid)::float8 as size, current_setting('max_connections')::int as most
      from pg_stat_database d left join lateral (
        select state, count(*)::int as connections,
          (count(*) filter (where wait_event_type = 'Lock'))::int as lock_waits,
          coalesce(max(extract(epoch from now() - xact_start)) filter (where pid <> pg_backend_pid()), 0)::float8 as longest
        from pg_stat_activity where datid = d.datid group by state
      ) a on true where d.datname = current_database()`,
  ])
  const [any] = rows
  if (!any) throw new Error('PostgreSQL tells nothing of this database')
  const count = (state: ConnectionState) => rows.find((row) => row.state === state)?.connections ?? 0
  return {
    outboxOldestSeconds: outboxOldest,
    bookingsPending,
    deadLetters,
    connections: Object.fromEntries(STATES.map((state) => [state, count(state)])) as Record<
      ConnectionState,
      number
    >,
    connectionsMax: any.most,
    lockWaits: rows.reduce((all, row) => all + (row.lock_waits ?? 0), 0),
    longestTransactionSeconds: Math.max(0, ...rows.map((row) => row.longest ?? 0)),
    committed: any.committed,
    rolledBack: any.rolled_back,
    deadlocks: any.deadlocks,
    sizeBytes: any.size,
  }
}

interface ServerRow {
  state: string
  connections: number | null
  lock_waits: number | null
  longest: number | null
  committed: number
  rolled_back: number
  deadlocks: number
  size: number
  most: number
}
