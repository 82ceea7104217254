// Holds the sale, as a model, to its promises in every interleaving: seats, money and cache, with everything told twice,
// late, in the wrong order or never. Then each guard is taken away, and the model has to notice.
import { afterAll, describe, expect, test } from 'bun:test'
import { explore, type Explored } from '../support/model/explore.ts'
import { saleModel } from '../support/model/sale-model.ts'
import { GUARDS, type Guard } from '../support/model/sale-moves.ts'
import type { Plan } from '../support/model/sale-state.ts'

const STATES_MAX = 2_000_000
const WITHIN_MS = 60_000

const twoBuyers = { wishes: [[0], [0]], redis: false, toldMax: 2, organiser: true, extensions: true }
const PLANS = {
  'two buyers, one seat, a payment each': { ...twoBuyers, charges: [0, 1] },
  'two buyers, one seat, one tries to pay twice': { ...twoBuyers, charges: [0, 0, 1], organiser: false },
  'three buyers whose seats cross, one payment': { ...twoBuyers, wishes: [[0, 1], [1], [0]], charges: [0] },
  'two buyers, one seat, one payment, and a cache that is late, lossy and forgetful': {
    ...twoBuyers,
    charges: [0],
    redis: true,
    extensions: false,
  },
} satisfies Record<string, Plan>
/** Where the plan of the plainest sale does not show what is missing. */
const SHOWN_BY: Partial<Record<Guard, keyof typeof PLANS>> = {
  'a hold is all or none': 'three buyers whose seats cross, one payment',
  'a hold asks Postgres whatever the hint says':
    'two buyers, one seat, one payment, and a cache that is late, lossy and forgetful',
  'the cache goes by versions':
    'two buyers, one seat, one payment, and a cache that is late, lossy and forgetful',
  'the cache is reconciled':
    'two buyers, one seat, one payment, and a cache that is late, lossy and forgetful',
}

const lines: string[] = []
const told = ({ states, transitions, ends, ms }: Explored) =>
  `${states.toLocaleString('en')} states, ${transitions.toLocaleString('en')} transitions, ${ends} ends, ${ms} ms`
afterAll(() => console.log(`\nThe model of a sale\n${lines.join('\n')}`))

describe('in every interleaving of', () => {
  for (const [name, plan] of Object.entries(PLANS))
    test(
      name,
      () => {
        const explored = explore(saleModel(plan), { statesMax: STATES_MAX })
        lines.push(`  ${name}: ${told(explored)}`)
        expect(explored.found).toBeNull()
      },
      WITHIN_MS,
    )
})

describe('a planted bug is found:', () => {
  for (const guard of GUARDS)
    test(
      `not so that ${guard}`,
      () => {
        const plan = PLANS[SHOWN_BY[guard] ?? 'two buyers, one seat, a payment each']
        const explored = explore(saleModel(plan, guard), { statesMax: STATES_MAX })
        if (explored.found === null) throw new Error(`nobody notices that this is missing: ${guard}`)
        const { what, trace } = explored.found
        lines.push(`  without "${guard}": ${what} (${explored.states} states, ${explored.ms} ms)`)
        lines.push(`      ${trace.join(' → ')}`)
      },
      WITHIN_MS,
    )
})
