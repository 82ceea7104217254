// Owns one run of a line: which moves a seed draws, in what kind of sale, and that the line can be emptied in the end.
import { hold, standing } from './model.ts'
import { perform, type Change, type Move } from './moves.ts'
import { randomOf, type Random } from './random.ts'
import { openWorld, START, type Wire, type World, type WorldOptions } from './world.ts'

export interface Episode {
  seed: number
  steps: number
  /** Chosen by the seed when absent. */
  accounts?: number
}

export interface Failure {
  episode: Episode
  options: WorldOptions
  trace: Move[]
  fault: unknown
}

/** Everybody is compared this seldom, more seldom where there are many. */
const COMPARE_EVERY = 40
const COMPARE_AT_LEAST_EVERY = 250
/** In a room for so many, half of them come at once. */
const CROWD_MIN = 1_000
const DRAIN_TICKS_MAX = 400

/** Plays one seed; answers how it failed, or null. `counts` collects how often each move was made. */
export async function play(
  wire: Wire,
  episode: Episode,
  counts: Map<string, number> = new Map(),
): Promise<Failure | null> {
  const random = randomOf(episode.seed)
  const flavour = flavourOf(random, episode.accounts)
  const world = await openWorld(wire, flavour.options)
  const trace: Move[] = []
  const make = async (move: Move) => {
    trace.push(move)
    counts.set(move.do, (counts.get(move.do) ?? 0) + 1)
    await perform(world, move)
  }
  try {
    const { accounts } = flavour.options
    if (accounts >= CROWD_MIN) await make({ do: 'crowd', node: 0, from: 0, to: Math.floor(accounts / 2) })
    const every = Math.max(COMPARE_EVERY, Math.min(accounts / 2, COMPARE_AT_LEAST_EVERY))
    for (let step = 0; step < episode.steps; step++) {
      await make(nextMove(world, random, flavour))
      if (step % Math.floor(every) === 0) await perform(world, { do: 'compare' })
    }
    await drain(world, make)
    return null
  } catch (fault) {
    return { episode, options: flavour.options, trace, fault }
  } finally {
    await world.close()
  }
}

/** The same moves again, in a world of the same kind. */
export async function replay(wire: Wire, options: WorldOptions, trace: readonly Move[]): Promise<unknown> {
  const world = await openWorld(wire, options)
  try {
    for (const move of trace) {
      await perform(world, move)
      if (move.do !== 'pass') await perform(world, { do: 'compare' })
    }
    return null
  } catch (fault) {
    return fault
  } finally {
    await world.close()
  }
}

interface Flavour {
  options: WorldOptions
  /** How lively each kind of trouble is, 0 = never. */
  wipes: number
  /** How often the limit comes after the call, so that people wait at the door. */
  doors: number
  absurd: number
  kills: number
  jumps: number
  hurry: number
}

function flavourOf(random: Random, accounts?: number): Flavour {
  const lobby = random.chance(0.3)
  const people = accounts ?? random.pick([10, 20, 40, 40, 80, 200])
  return {
    options: {
      accounts: people,
      skewMs: random.pick([0, 0, 40, 100]),
      settings: {
        control: lobby ? 'auto' : random.pick(['auto', 'open']),
        ...(lobby ? { onSaleAt: new Date(START + random.below(60_000)) } : {}),
        activeMax: random.pick([1, 3, 4, 10, people]),
        admitPerMinute: random.pick([null, 2, 12, 60]),
        doorSeconds: random.pick([0, 3, 8, 30]),
        passSeconds: random.pick([5, 25, 120]),
        graceSeconds: random.pick([0, 2, 10, 60]),
        priorityShare: random.pick([0, 0, 10, 50, 100]),
      },
    },
    wipes: random.pick([0, 0.1, 0.3, 1]),
    doors: random.pick([0, 0, 6]),
    absurd: random.pick([0, 0.5, 2]),
    kills: random.pick([0, 0.5, 2]),
    jumps: random.pick([0, 0, 1]),
    hurry: random.pick([1, 1, 3]),
  }
}

function nextMove(world: World, random: Random, flavour: Flavour): Move {
  const { accounts } = flavour.options
  const { below, chance, pick } = random
  const who = `p${below(accounts)}`
  const node = below(3)
  const inState = (...states: string[]) => {
    const { line } = world.oracle
    const at = world.now
    const found = [...line.people.values()].filter((person) => states.includes(standing(line, person, at)))
    return found.length > 0 ? pick(found).id : who
  }
  const kind = random.weighted<() => Move>([
    [24, () => joinMove()],
    [22, () => ({ do: 'claim', node, who: chance(0.75) ? inState('called', 'door') : who })],
    [5, () => ({ do: 'leave', node, who: chance(0.5) ? inState('called', 'door', 'admitted') : who })],
    [3, () => ({ do: 'defer', node, who: inState('called') })],
    [
      7,
      () => ({
        do: 'drop',
        node,
        who: inState('waiting', 'called'),
        ...(chance(0.2) ? { stale: true } : {}),
      }),
    ],
    [3, () => ({ do: 'ask', node, who })],
    [26, () => ({ do: 'tick', node })],
    [0.5, () => ({ do: 'tick', node, dies: pick(['close', 'fix', 'seal']) })],
    [3, () => ({ do: 'stall', node, steps: below(6) })],
    [5, () => ({ do: 'resume', node })],
    [6, () => ({ do: 'second', node })],
    [16 * flavour.hurry, () => ({ do: 'pass', ms: below(2_500) })],
    [2 * flavour.hurry, () => ({ do: 'pass', ms: below(45_000) })],
    [0.2, () => ({ do: 'pass', ms: below(1_000_000) })],
    [flavour.jumps, () => ({ do: 'pass', ms: -below(8_000) })],
    [flavour.kills, () => ({ do: 'kill', node })],
    [flavour.doors, () => ({ do: 'set', node, change: { activeMax: pick([1, 2, 8]) } })],
    [flavour.wipes, () => ({ do: 'wipe' })],
    [flavour.wipes * 4, () => ({ do: 'keep' })],
    [flavour.wipes, () => ({ do: 'rollback' })],
    [1.5, () => seatsMove()],
    [2, () => ({ do: 'set', node, change: ordinaryChange(), ...(chance(0.2) ? { lost: true } : {}) })],
    [0.3, () => ({ do: 'old', node, change: ordinaryChange() })],
    [flavour.absurd, () => ({ do: 'set', node, change: absurdChange() })],
  ])
  const joinMove = (joining = chance(0.3) ? inState('outside') : who): Move => ({
    do: 'join',
    who: joining,
    node,
    ...(chance(0.2) ? { http: true } : {}),
    ...(Number(joining.slice(1)) % 4 === 1 ? { priority: true } : {}),
    ticket: ticketChoice(),
  })
  const ticketChoice = () =>
    random.weighted<Extract<Move, { do: 'join' }>['ticket']>([
      [7, 'own'],
      [1, 'oldest'],
      [2, 'none'],
      [1, { of: `p${below(accounts)}` }],
    ])
  const seatsMove = (): Move => {
    const total = pick([0, 10, 1_000])
    const available = pick([0, 0, 1, 5, total])
    return { do: 'seats', total, available: Math.min(total, available), reserved: total > 0 ? below(3) : 0 }
  }
  const ordinaryChange = (): Change =>
    pick<() => Change>([
      () => ({ control: chance(0.3) ? 'paused' : 'open' }),
      () => ({ control: chance(0.3) ? 'paused' : 'open' }),
      () => ({ control: pick(['auto', 'closed', 'open', 'open']) }),
      () => ({ activeMax: 1 + below(8) }),
      () => ({ admitPerMinute: chance(0.2) ? null : 1 + below(30) }),
      () => ({ doorSeconds: below(12), passSeconds: 1 + below(30), graceSeconds: below(20) }),
      () => ({ saleIn: pick([null, 5_000, -5_000, 60_000]), lobbyIn: pick([null, 0, -60_000, 10_000]) }),
    ])()
  const absurdChange = (): Change =>
    pick<() => Change>([
      () => ({ activeMax: pick([1, 100_000]) }),
      () => ({ admitPerMinute: pick([1, 10_000_000]) }),
      () => ({ doorSeconds: pick([0, 1, 3_600]) }),
      () => ({ passSeconds: pick([1, 86_400]) }),
      () => ({ graceSeconds: pick([0, 86_400]) }),
      () => ({ priorityShare: pick([0, 1, 100]) }),
      () => ({ enabled: chance(0.6) }),
      () => ({ eventStatus: pick(['DRAFT', 'CANCELLED', 'PUBLISHED', 'PUBLISHED']) }),
    ])()
  return kind()
}

/** With wide limits and nobody joining, everybody still in line is called in the end: nobody is forgotten. */
async function drain(world: World, make: (move: Move) => Promise<void>): Promise<void> {
  for (let node = 0; node < world.nodes.length; node++) await make({ do: 'resume', node })
  await make({ do: 'seats', total: 0, available: 0, reserved: 0 })
  await make({
    do: 'set',
    node: 0,
    change: {
      enabled: true,
      eventStatus: 'PUBLISHED',
      control: 'open',
      activeMax: 100_000,
      admitPerMinute: null,
      doorSeconds: 1,
      passSeconds: 1,
    },
  })
  const { oracle } = world
  const inside = () =>
    [...oracle.line.people.values()].filter(
      (person) =>
        !person.absent && !['outside', 'admitted'].includes(standing(oracle.line, person, world.now)),
    )
  for (let ticks = 0; ticks < DRAIN_TICKS_MAX && inside().length > 0; ticks++) {
    // Absurd settings may have given turns of an hour.
    await make({ do: 'pass', ms: ticks < DRAIN_TICKS_MAX / 4 ? 3_000 : 60_000 })
    await make({ do: 'tick', node: 0 })
    if (oracle.line.heldUntil > world.now) await make({ do: 'pass', ms: oracle.line.heldUntil - world.now })
  }
  hold(
    inside().length === 0,
    () =>
      `${inside()
        .map(({ id, state }) => `${id} ${state}`)
        .join(', ')}: forgotten`,
  )
  await perform(world, { do: 'compare' })
}
