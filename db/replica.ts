// Decides whether a streaming replica may answer: only while it answers in time and was seen to have what the primary
// had a moment ago.
//
// How far it is behind is told by places in the log, not by clocks: the primary's place is noted with this process' time,
// and a replica that has replayed it is as new as that note. Nothing has to be written for it, clocks of machines need
// not agree, and a primary at rest does not look like a replica that fell behind, as with the time of its last commit.
import { connectLedger, postgresCode, type Db, type Ledger } from './client.ts'

/** A read that takes longer is asked of the primary, with most of its time left. */
export const REPLICA_PATIENCE_MS = 1_000
/** What is older than this is shown to nobody. */
const REPLICA_LAG_MAX_MS = 10_000
/** After an answer that did not come it is left alone: one that hangs costs each reader of one moment its patience. */
const REPLICA_RESTS_MS = 3_000
const LOOK_EVERY_MS = 500
/** Of one process; its reads are short. */
const CONNECTIONS = 8
/** Enough for the largest lag that is still allowed. */
const NOTES_KEPT = REPLICA_LAG_MAX_MS / LOOK_EVERY_MS + 2

/** Where a PostgreSQL stands. */
interface Standing {
  /** The same in all copies of one installation, for one database of it. */
  copy: string
  replica: boolean
  /** Tells two running servers of the same copy apart. */
  started: string
  /** Bytes of log written, or replayed. */
  place: number
}
const STANDING = `select (select system_identifier from pg_control_system()) || '/' || current_database() as copy,
  pg_is_in_recovery() as replica, pg_postmaster_start_time()::text as started,
  (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end - '0/0'::pg_lsn)::float8 as place`

export interface ReplicaOptions {
  /** Shown in pg_stat_activity. */
  name: string
  /** Told once each time it is used from now on (null), or no more, and why; the address is never repeated. */
  onChange?: (left: string | null) => void
  /** REPLICA_LAG_MAX_MS, but for tests that cannot wait so long. */
  lagMaxMs?: number
}

export interface Replica {
  /** The replica's answer; null when the primary has to be asked: it is away, slow, behind, or rests. Never throws. */
  ask<T>(question: (db: Db) => Promise<T>): Promise<{ answer: T } | null>
  /** How old what it shows may be, in ms; Infinity while that was never known. */
  lagMs(): number
  close(): Promise<void>
}

/** Connects in the background and looks at it until closed; not asked before it was seen to follow `primary`. */
export function followReplica(url: string, primary: Pick<Ledger, 'sql'>, options: ReplicaOptions): Replica {
  const lagMaxMs = options.lagMaxMs ?? REPLICA_LAG_MAX_MS
  const open = () =>
    connectLedger(url, {
      max: CONNECTIONS,
      name: options.name,
      statementTimeoutMs: REPLICA_PATIENCE_MS,
    })
  let ledger = open()
  const notes: { place: number; at: number }[] = []
  let trouble: string | null = 'it has not answered yet'
  let newestAt = -Infinity
  let restsUntil = -Infinity
  let saidUsed: boolean | null = null
  let looking = false

  const lagMs = () => performance.now() - newestAt
  const whyNot = (): string | null =>
    trouble ?? (lagMs() > lagMaxMs ? `it is more than ${lagMaxMs} ms behind` : null)

  /** Whoever still waits for the connections is let go at once. */
  function leave(why: string): void {
    trouble = why
    void ledger.sql.end({ timeout: 0 })
    ledger = open()
  }

  function tell(): void {
    const left = whyNot()
    if (saidUsed === (left === null)) return
    saidUsed = left === null
    options.onChange?.(left)
  }

  async function look(): Promise<void> {
    const at = performance.now()
    // However late it answers, its place is at least what it was when asked; without it, what is known grows old.
    const theirs = await inTime(standing(primary), lagMaxMs).catch(() => null)
    if (theirs === null) return
    notes.push({ place: theirs.place, at })
    if (notes.length > NOTES_KEPT) notes.shift()
    const asked = ledger
    try {
      const own = await inTime(standing(asked))
      trouble = performance.now() < restsUntil ? trouble : whyNoCopy(own, theirs)
      newestAt = notes.findLast(({ place }) => place <= own.place)?.at ?? newestAt
    } catch (fault) {
      if (asked === ledger) leave(reasonOf(fault))
    }
  }

  async function lookOnce(): Promise<void> {
    if (looking) return
    looking = true
    await look()
    looking = false
    tell()
  }
  void lookOnce()
  const timer = setInterval(() => void lookOnce(), LOOK_EVERY_MS)

  return {
    lagMs,
    async ask(question) {
      if (whyNot() !== null) {
        // It fell behind since it was last looked at.
        if (saidUsed) tell()
        return null
      }
      const asked = ledger
      try {
        return { answer: await inTime(question(asked.db)) }
      } catch (fault) {
        // Whatever it was, the primary will know: a replica may also lack what a migration has just made.
        if (asked === ledger) {
          restsUntil = performance.now() + REPLICA_RESTS_MS
          leave(reasonOf(fault))
          tell()
        }
        return null
      }
    },
    async close() {
      clearInterval(timer)
      await ledger.sql.end({ timeout: 0 })
    },
  }
}

async function standing({ sql }: Pick<Ledger, 'sql'>): Promise<Standing> {
  const [row] = await sql.unsafe<Standing[]>(STANDING)
  if (!row) throw new Error('it told nothing')
  return row
}

/** A server that writes is no replica, unless it is the primary itself under a second name. */
function whyNoCopy(own: Standing, primary: Standing): string | null {
  if (own.copy !== primary.copy) return 'it is no copy of what DATABASE_URL leads to'
  return own.replica || own.started === primary.started ? null : 'it writes by itself and follows nobody'
}

async function inTime<T>(work: Promise<T>, ms = REPLICA_PATIENCE_MS): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('it did not answer in time')), ms)
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

const reasonOf = (fault: unknown): string =>
  postgresCode(fault) ?? (fault instanceof Error ? fault.message : String(fault))
