// Decides which reads may be older than the ledger, for whom, and why that harms nobody (ADR 37).
//
// What goes through neither of the two below reads the primary: bookings, payments, tickets and their scan, sessions and
// permissions, a room's settings, whatever decides what somebody may do, whatever follows one's own write, and the seats
// in memory, which are put together with announcements that only what is committed may precede (events/live-event.ts).
import type { Db, Ledger } from '../db/client.ts'
import { followReplica, type Replica } from '../db/replica.ts'
import type { Identity } from './auth/access.ts'
import type { Permission } from './protocol/codes.ts'
import type { Telemetry } from './telemetry.ts'

/** Whoever may do one of these reads the catalogue they may just have changed. */
const CHANGES: readonly Permission[] = [
  'event:create',
  'event:update:own',
  'event:delete:own',
  'seat:manage:own',
  'room:manage:own',
]

type Question<T> = (db: Db) => Promise<T>

export type StaleReads = ReturnType<typeof createStaleReads>

interface Parts {
  ledger: Ledger
  /** Null: everything reads the primary. */
  url: string | null
  name: string
  telemetry: Pick<Telemetry, 'staleReadFrom' | 'replicaMeasured' | 'replicaChanged'>
}

export function createStaleReads({ ledger, url, name, telemetry }: Parts) {
  const replica: Replica | null =
    url === null ? null : followReplica(url, ledger, { name, onChange: telemetry.replicaChanged })

  async function read<T>(question: Question<T>, enough: (answer: T) => boolean): Promise<T> {
    const told = await replica?.ask(question)
    if (told && enough(told.answer)) {
      telemetry.staleReadFrom('replica')
      return told.answer
    }
    if (replica) telemetry.staleReadFrom('primary')
    return question(ledger.db)
  }

  return {
    /**
     * What strangers see of published events: the list, an event's words, tiers and sections, free seats of events not
     * yet in memory. They do not know when it was changed, and a reservation asks the ledger. Whoever may change events
     * reads the primary, and sees the own change at once. An answer that is not `enough`, since what is looked for may
     * be newer, is asked of the primary.
     */
    catalogue: <T>(
      visitor: Identity | null,
      question: Question<T>,
      enough: (answer: T) => boolean = () => true,
    ): Promise<T> =>
      CHANGES.some((permission) => visitor?.permissions.has(permission))
        ? question(ledger.db)
        : read(question, enough),

    /** Counts and the list of sold seats for who watches a sale: they are old when they are read, and decide nothing. */
    report: <T>(question: Question<T>): Promise<T> => read(question, () => true),

    /** For the figures. */
    measure(): void {
      const lagMs = replica?.lagMs() ?? Infinity
      if (Number.isFinite(lagMs)) telemetry.replicaMeasured(lagMs / 1_000)
    },

    close: async (): Promise<void> => replica?.close(),
  }
}
