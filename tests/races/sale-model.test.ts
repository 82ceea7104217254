// Holds the model of a sale to the ledger: random walks of both, by the real functions on real stores, must agree after
// every step, so that what the model proves is proved of this code.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Gate } from '../../db/bookings/gate.ts'
import { connectRedis } from '../../db/redis.ts'
import { openTestLedger, STORES_WITHIN_MS, type TestLedger } from '../support/a-ledger.ts'
import { asTold, RealSale, type Looks } from '../support/model/real-sale.ts'
import { isOverdue, Moves } from '../support/model/sale-moves.ts'
import { brokenIn } from '../support/model/sale-model.ts'
import { copyOf, firstState, type Plan, type State } from '../support/model/sale-state.ts'
import { randomOf } from '../support/sale.ts'

const WALKS = Number(process.env['MODEL_WALKS'] ?? 15)
const STEPS = 30
const RUSHES = 12
const FIRST_SEED = Number(process.env['MODEL_SEED'] ?? 1)
const WALK_WITHIN_MS = 60_000

const PLAN: Plan = {
  wishes: [[0, 1], [1], [0], [1, 2], [2]],
  charges: [0, 0, 1, 2, 3],
  redis: true,
  toldMax: Infinity,
  organiser: true,
  extensions: true,
}

let t: TestLedger
let blind: Gate
beforeAll(async () => {
  t = await openTestLedger()
  // Nothing listens on the discard port: what its commits tell the cache is lost.
  blind = { db: t.db, redis: connectRedis('redis://127.0.0.1:9', { role: 'commands', name: 'gone' }) }
}, STORES_WITHIN_MS)
afterAll(async () => {
  blind.redis.disconnect()
  await t.close()
}, STORES_WITHIN_MS)

/** One move on both sides; whether it is allowed at this moment is for both to find out. */
interface Twin {
  name: string
  /** Somebody else at the same rows is reason enough for it to do nothing. */
  mayBeNothing?: true
  /** `sees`: Redis is there, and what the move tells the cache arrives. */
  model(moves: Moves, sees: boolean): void
  real(sale: RealSale, gate: Gate, state: State): Promise<unknown>
}

const SWEEP = 'the sweep runs'

function twins({ wishes, charges }: Plan): Twin[] {
  const all: Twin[] = [
    {
      name: SWEEP,
      mayBeNothing: true,
      model: (moves) => moves.state.bookings.forEach((_booking, i) => moves.expire(i)),
      real: (sale, gate) => sale.sweep(gate),
    },
    {
      name: 'the cache is reconciled',
      model: (moves) => moves.reconcile(),
      real: (sale) => sale.reconcile(),
    },
  ]
  for (const i of wishes.keys())
    all.push(
      {
        name: `${i} asks for ${wishes[i]}`,
        mayBeNothing: true,
        model: (moves, sees) => {
          if (moves.state.bookings[i]!.status !== 'NONE') return
          if (!sees || moves.ask(i)) moves.hold(i)
          for (const n of wishes[i]!) moves.unlock(n)
        },
        // A booking that is there already is not asked for again: its id is its request's.
        real: async (sale, gate, state) => state.bookings[i]!.status === 'NONE' && sale.hold(gate, i),
      },
      { name: `time passes for ${i}`, model: (m) => m.pass(i), real: (sale) => sale.pass(i) },
      { name: `${i} releases`, model: (m) => m.release(i), real: (sale, gate) => sale.release(gate, i) },
      { name: `${i} extends`, model: (m) => m.extend(i), real: (sale, gate) => sale.extend(gate, i) },
      {
        name: `the organiser refunds ${i}`,
        model: (m) => m.refund(i),
        real: (sale, gate) => sale.refund(gate, i),
      },
    )
  // Three times: what happens to money is rare among all that can happen, and matters most.
  for (const c of [...charges.keys(), ...charges.keys(), ...charges.keys()])
    all.push(
      {
        name: `charge ${c} is opened`,
        model: (m) => m.start(c),
        // Charges of one booking are opened in their order, and a row stands for one charge.
        real: async (sale, gate, state) => mayOpen(state, c) && sale.start(gate, c),
      },
      ...(['captured', 'declined'] as const).map((outcome) => ({
        name: `the provider says ${outcome} to ${c}`,
        model: (m: Moves) => m.charge(c, outcome),
        real: (sale: RealSale) => sale.charge(c, outcome),
      })),
      {
        name: `the word on ${c} comes`,
        model: (m) => m.hear(c),
        real: (sale, gate, state) => sale.hear(gate, c, state.charges[c]!.provider),
      },
      {
        name: `charge ${c} is settled after long`,
        model: (m) => {
          if (m.state.charges[c]!.ledger !== 'PROCESSING') return
          m.giveUp(c)
          m.hear(c)
        },
        real: (sale, gate) => sale.giveUp(gate, c),
      },
      {
        name: `the refund of ${c} is carried out`,
        model: (m) => {
          m.payBack(c)
          m.noteRefund(c)
        },
        real: (sale) => sale.payBack(c),
      },
    )
  for (let n = 0; n <= Math.max(...wishes.flat()); n++)
    all.push({ name: `the cache forgets ${n}`, model: (m) => m.forget(n), real: (sale) => sale.forget(n) })
  return all
}

const mayOpen = ({ charges }: State, c: number) =>
  charges[c]!.ledger === 'NONE' &&
  charges.every(({ booking, ledger }, k) => booking !== charges[c]!.booking || k >= c || ledger !== 'NONE')

const LATE = ['0 asks for 0,1', 'charge 0 is opened', 'time passes for 0']
const PAID = ['the provider says captured to 0', 'the word on 0 comes']
/** How a walk may begin: what chance would seldom find. */
const BEGINNINGS: string[][] = [
  [],
  [...LATE, '1 asks for 1', ...PAID, 'the refund of 0 is carried out'],
  [...LATE, 'the sweep runs', ...PAID],
  [...LATE, ...PAID, 'the word on 0 comes', 'the organiser refunds 0', 'the word on 0 comes'],
  ['0 asks for 0,1', 'charge 0 is opened', '0 releases', ...PAID, 'the word on 0 comes'],
  ['0 asks for 0,1', 'charge 0 is opened', 'charge 0 is settled after long', 'charge 1 is opened', ...PAID],
]

/** Answers the kinds of the steps that changed anything. */
async function walk(seed: number): Promise<string[]> {
  const random = randomOf(seed)
  const sale = await RealSale.open(t, PLAN)
  const moves = twins(PLAN)
  let state = firstState(PLAN)
  const beginning = BEGINNINGS[seed % BEGINNINGS.length]!
  const trace: string[] = []
  const changes: string[] = []
  for (let k = 0; k < STEPS; k++) {
    const scripted = moves.filter(({ name }) => name === beginning[k])
    const { twin, sees, next } = choose(state, scripted.length > 0 ? scripted : moves, random)
    trace.push(`${twin.name}${sees ? '' : ' (Redis away)'}`)
    await twin.real(sale, sees ? t.gate : blind, state)
    if (JSON.stringify(next) !== JSON.stringify(state)) changes.push(twin.name.replaceAll(/[\d,]+/g, '#'))
    state = next
    const real = await sale.look()
    if (!Bun.deepEquals(real, asTold(state))) console.log(`seed ${seed}:\n  ${trace.join('\n  ')}`)
    expect(real).toEqual(asTold(state))
  }
  return changes
}

const MOVES_AT_ONCE = 3

/**
 * Several moves at the same moment have to end as if they had come one after another, in some order. Of what was refused
 * because somebody else was at it, a hold or an expiry, nothing happens; and the gate, which may only refuse, is left out.
 */
async function rush(seed: number): Promise<number> {
  const random = randomOf(seed)
  const sale = await RealSale.open(t, PLAN)
  const moves = twins(PLAN)
  let state = firstState(PLAN)
  const trace: string[] = []
  let ways = 0
  for (let k = 0; k < RUSHES; k++) {
    const before = state
    const drawn = Array.from({ length: MOVES_AT_ONCE }, () => choose(before, moves, random))
    const chosen = [...new Map(drawn.map((one) => [one.twin.name, one])).values()]
    trace.push(chosen.map(({ twin }) => twin.name).join(' | '))
    await Promise.all(chosen.map(({ twin, sees }) => twin.real(sale, sees ? t.gate : blind, before)))
    const looks = await sale.look()
    const ends = endsOf(
      before,
      chosen.map(({ twin }) => twin),
    )
    const end = ends.find((one) => Bun.deepEquals(withoutHints(asTold(one)), withoutHints(looks)))
    if (!end) console.log(`seed ${seed}:\n  ${trace.join('\n  ')}`, looks, ends.map(asTold))
    expect(end).toBeDefined()
    ways += ends.length
    state = end!
    for (const [n, seat] of state.seats.entries()) {
      const hint = looks.seats[n]!.split(' ').at(-1)!
      seat.hint = hint === '-' ? null : hint
    }
    expect(brokenIn(state, PLAN)).toBeNull()
  }
  return ways
}

const withoutHints = ({ seats, ...rest }: Looks): Looks => ({
  ...rest,
  seats: seats.map((seat) => seat.split(' ').slice(0, -1).join(' ')),
})

/** Every state in which these moves may end, in any order; those that may come to nothing also left out. */
function endsOf(state: State, chosen: Twin[]): State[] {
  const due = state.bookings.flatMap((booking, i) => (isOverdue(booking) ? [i] : []))
  const expiries = chosen.some(({ mayBeNothing }) => mayBeNothing) ? due : []
  const all = [
    ...chosen.filter(({ name }) => name !== SWEEP),
    ...expiries.map((i): Twin => ({
      name: `${i} expires`,
      mayBeNothing: true,
      model: (moves) => moves.expire(i),
      real: async () => {},
    })),
  ]
  const ends = new Map<string, State>()
  const go = (from: State, left: Twin[]) => {
    if (left.every(({ mayBeNothing }) => mayBeNothing)) ends.set(JSON.stringify(from), from)
    for (const twin of left) {
      const next = copyOf(from)
      twin.model(new Moves(next, PLAN), false)
      next.told.length = 0
      go(
        next,
        left.filter((other) => other !== twin),
      )
    }
  }
  go(state, all)
  return [...ends.values()].map(copyOf)
}

/** Four of five that do something, in the model's opinion; the fifth whatever it be, so that refusals are compared too. */
function choose(state: State, moves: Twin[], random: () => number) {
  for (let tries = 0; ; tries++) {
    const twin = moves[Math.floor(random() * moves.length)]!
    const sees = random() < 0.75
    const next = copyOf(state)
    const model = new Moves(next, PLAN)
    twin.model(model, sees)
    if (!sees) next.told.length = 0
    while (next.told.length > 0) model.deliver(0)
    const idle = JSON.stringify(next) === JSON.stringify(state)
    if (!idle || random() < 0.02 || tries > 500) return { twin, sees, next }
  }
}

test(
  `${WALKS} walks of ${STEPS} steps end each step in the same state as the model`,
  async () => {
    const changes: string[] = []
    for (let seed = FIRST_SEED; seed < FIRST_SEED + WALKS; seed++) changes.push(...(await walk(seed)))
    const kinds = [...Map.groupBy(changes, (kind) => kind)].map(
      ([kind, { length }]) => `  ${length} × ${kind}`,
    )
    console.log(
      `\nThe model and the ledger agreed on ${WALKS * STEPS} steps, ${changes.length} of which changed something:\n${kinds.join('\n')}`,
    )
    expect(changes.length).toBeGreaterThan((WALKS * STEPS) / 2)
  },
  WALK_WITHIN_MS,
)

test(
  `${WALKS} sales of ${RUSHES} times ${MOVES_AT_ONCE} moves at once end as if they had come one after another`,
  async () => {
    let ways = 0
    for (let seed = FIRST_SEED; seed < FIRST_SEED + WALKS; seed++) ways += await rush(seed)
    console.log(
      `\n${WALKS * RUSHES} times ${MOVES_AT_ONCE} moves at once: each ended in one of ${(ways / WALKS / RUSHES).toFixed(1)} allowed states`,
    )
  },
  WALK_WITHIN_MS,
)
