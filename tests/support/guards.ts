// Owns how the worth of a guard is shown: a scenario that is harmless with it and does harm as soon as it is gone.
//
// Where several guards cover each other, the others are taken away for both runs, so that what the one is worth alone
// is seen; and with nothing taken away the scenario has to be harmless too.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { LEDGER_CHECKS } from '../../db/audit/ledger-checks.ts'
import { countBroken } from '../../db/audit/broken.ts'
import type { Gate } from '../../db/bookings/gate.ts'
import type { Db } from '../../db/client.ts'
import { connectRedis } from '../../db/redis.ts'
import { openTestLedger, STORES_WITHIN_MS, type TestLedger } from './a-ledger.ts'
import { withoutGuards, type Cut, type CutLedger } from './unguarded-ledger.ts'

const SCENARIO_WITHIN_MS = 30_000

/** Answers the harm that was done, in words that name the invariant where there is one; null when all is well. */
export type Scenario = (stage: Stage) => Promise<string | null>

export interface Stage {
  ledger: CutLedger
  t: TestLedger
  db: Db
  /** Two server processes: each has batches of its own; nothing but the stores is shared. */
  servers: [Gate, Gate]
  /** The same without a Redis. */
  alone: [Gate, Gate]
}

export interface GuardCase {
  guard: string
  /** Where it stands. */
  at: string
  cut: Cut
  /** What else would have prevented the harm: taken away as well, before and after. */
  covers?: [name: string, cut: Cut][]
  /** What happens, in words. */
  story: string
  scenario: Scenario
  /** What the harm must be. */
  harm: RegExp
}

/** A test for each guard; prints which scenario catches its absence and what is violated then. */
export function describeGuards(what: string, cases: GuardCase[]): void {
  describe(what, () => {
    let t: TestLedger
    let close: () => void
    let stage: Omit<Stage, 'ledger'>
    const table: string[] = []
    const harmless = new Set<Scenario>()
    beforeAll(async () => {
      t = await openTestLedger()
      // Nothing listens on the discard port.
      const gone = connectRedis('redis://127.0.0.1:9', { role: 'commands', name: 'gone' })
      close = () => gone.disconnect()
      const { db, redis } = t
      stage = {
        t,
        db,
        servers: [
          { db, redis },
          { db, redis },
        ],
        alone: [
          { db, redis: gone },
          { db, redis: gone },
        ],
      }
    }, STORES_WITHIN_MS)
    afterAll(async () => {
      console.log(
        `\n${what}: with the guard gone (and its covers, in brackets) each scenario does the harm named\n${table.join('\n')}`,
      )
      close()
      await t.close()
    }, STORES_WITHIN_MS)

    for (const { guard, at, cut, covers = [], story, scenario, harm } of cases)
      test(
        `${guard}: ${story}`,
        async () => {
          const others = covers.map(([, cover]) => cover)
          const run = (...cuts: Cut[]) =>
            withoutGuards(t.db, cuts, (ledger) => scenario({ ...stage, ledger }))
          if (!harmless.has(scenario)) expect(await run()).toBeNull()
          harmless.add(scenario)
          if (others.length > 0) expect(await run(...others)).toBeNull()
          const done = await run(...others, cut)
          expect(done).toMatch(harm)
          const names = covers.map(([name]) => name).join(', ')
          table.push(`  ${guard} · ${at}${names && ` [${names}]`}\n      ${story} → ${done}`)
        },
        SCENARIO_WITHIN_MS,
      )
  })
}

/** The invariants of the ledger that do not hold, with the first example of each. */
export async function harmOf(db: Db): Promise<string | null> {
  const harm: string[] = []
  for (const { id, name, broken } of LEDGER_CHECKS)
    if ((await countBroken(db, broken)).violations > 0) harm.push(`${id} broken (${name})`)
  return harm.length > 0 ? harm.join('; ') : null
}
