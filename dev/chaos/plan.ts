// Decides which faults strike in which order: everything that is chosen follows from the seed.

/** A pair of processes that talk to each other. */
export const PAIRS = [
  'buyer-server',
  'server-redis',
  'server-postgres',
  'worker-redis',
  'worker-postgres',
] as const
export type Pair = (typeof PAIRS)[number]

/** What becomes of a pair's connections; in words of fault-proxy.ts. */
const LINK_FAULTS = {
  'link-cut': 'refuse',
  'link-slow': 'delay',
  'link-parted': 'hold',
  'link-half-open': 'half-open',
  'link-unanswered': 'no-answers',
} as const
type LinkKind = keyof typeof LINK_FAULTS

export const KINDS = [
  'server-killed',
  'server-frozen',
  'worker-killed',
  'worker-frozen',
  'redis-killed',
  'redis-frozen',
  'redis-emptied',
  'postgres-killed',
  'postgres-frozen',
  'backend-killed',
  'backend-ended',
  'disk-full',
  'clock-jumped',
  ...(Object.keys(LINK_FAULTS) as LinkKind[]),
] as const
export type Kind = (typeof KINDS)[number]

interface Common {
  kind: Kind
  /** How long it lasts; 0 for what is over at once. */
  lastsMs: number
  /** Rest after everybody has recovered, before the next one. */
  restMs: number
}
interface Link {
  kind: LinkKind
  pair: Pair
  mode: (typeof LINK_FAULTS)[LinkKind]
  /** Which server's; null for the worker's or for all of them. */
  server: number | null
  delayMs: number
}
export type LinkFault = Common & Link
export type Fault = Common &
  (
    | { kind: 'server-killed' | 'server-frozen'; server: number }
    | { kind: 'worker-killed' | 'worker-frozen' }
    | { kind: 'redis-killed' | 'redis-frozen' | 'redis-emptied' }
    | { kind: 'postgres-killed' | 'postgres-frozen' | 'backend-killed' | 'backend-ended' }
    /** With `log`, not only tables but the write-ahead log cannot grow: Postgres goes down. */
    | { kind: 'disk-full'; log: boolean }
    | { kind: 'clock-jumped'; who: 'worker' | number; seconds: number }
    | Link
  )

/** How often each strikes beside the others; a kind of link counts once for every pair. */
const SHARES: Partial<Record<Kind, number>> = {
  'server-killed': 3,
  'server-frozen': 2,
  'worker-killed': 2,
  'redis-killed': 3,
  'redis-frozen': 2,
  'redis-emptied': 2,
  'postgres-killed': 3,
  'postgres-frozen': 2,
  'backend-killed': 2,
  'backend-ended': 2,
  'disk-full': 2,
  'clock-jumped': 3,
}

/** Seconds a process or a link is away: shorter and longer than every time limit there is on the path. */
const LASTS_MS = { least: 300, most: 3_500 }
/** Meanwhile each start of Postgres fails, and after ten failures within a minute `up` would rightly give up. */
const LOG_FULL_MAX_MS = 1_500
const REST_MS = { least: 300, most: 1_500 }
const DELAYS_MS = [20, 120, 700]
const JUMPS_SECONDS = [-600, -45, -3, 3, 45, 600]

export type Random = () => number

/** mulberry32: small, seeded, good enough to choose. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)]!

const between = (random: Random, { least, most }: { least: number; most: number }) =>
  Math.round(least + random() * (most - least))

/** `count` faults of these kinds, decks of all of them shuffled one after another. */
export function planFaults(
  seed: number,
  { count, kinds, servers }: { count: number; kinds: readonly Kind[]; servers: number },
): Fault[] {
  const random = randomOf(seed)
  const faults: Fault[] = []
  while (kinds.length > 0 && faults.length < count)
    faults.push(...shuffle(random, deck(kinds)).map((card) => draw(random, card, servers)))
  return faults.slice(0, count)
}

/**
 * The schedule parted into blows of so many faults that strike at the same moment. No two of a blow have the same victim:
 * what undoes the one would undo the other.
 */
export function planBlows(faults: readonly Fault[], together: number): Fault[][] {
  const blows: Fault[][] = []
  const left = [...faults]
  while (left.length > 0) {
    const blow = [left.shift()!]
    for (let i = 0; i < left.length && blow.length < together;) {
      const victim = victimOf(left[i]!)
      if (blow.some((fault) => victimOf(fault) === victim)) i += 1
      else blow.push(...left.splice(i, 1))
    }
    blows.push(blow)
  }
  return blows
}

/** Both servers are one: a fault may strike either or both. */
function victimOf(fault: Fault): string {
  if ('pair' in fault) return fault.pair
  return fault.kind === 'clock-jumped' ? 'clock' : fault.kind.slice(0, fault.kind.indexOf('-'))
}

type Card = { kind: Kind; pair?: Pair }

function deck(kinds: readonly Kind[]): Card[] {
  return kinds.flatMap((kind): Card[] =>
    kind in LINK_FAULTS
      ? PAIRS.map((pair) => ({ kind, pair }))
      : Array.from({ length: SHARES[kind] ?? 1 }, () => ({ kind })),
  )
}

function shuffle<T>(random: Random, list: T[]): T[] {
  const shuffled = [...list]
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!]
  }
  return shuffled
}

function draw(random: Random, { kind, pair }: Card, servers: number): Fault {
  const lastsMs = between(random, LASTS_MS)
  const restMs = between(random, REST_MS)
  const server = Math.floor(random() * servers)
  const choice = random()
  switch (kind) {
    case 'server-killed':
      return { kind, lastsMs: 0, restMs, server }
    case 'server-frozen':
      return { kind, lastsMs, restMs, server }
    case 'worker-killed':
    case 'redis-killed':
    case 'redis-emptied':
    case 'postgres-killed':
    case 'backend-killed':
    case 'backend-ended':
      return { kind, lastsMs: 0, restMs }
    case 'worker-frozen':
    case 'redis-frozen':
    case 'postgres-frozen':
      return { kind, lastsMs, restMs }
    case 'disk-full':
      return choice < 0.5
        ? { kind, lastsMs: Math.min(lastsMs, LOG_FULL_MAX_MS), restMs, log: true }
        : { kind, lastsMs, restMs, log: false }
    case 'clock-jumped': {
      const who = choice < 0.25 ? 'worker' : server
      return { kind, lastsMs, restMs, who, seconds: pick(random, JUMPS_SECONDS) }
    }
    default: {
      const ofServer = pair!.includes('server')
      return {
        kind,
        lastsMs,
        restMs,
        pair: pair!,
        mode: LINK_FAULTS[kind],
        server: ofServer && choice < 0.6 ? server : null,
        delayMs: pick(random, DELAYS_MS),
      }
    }
  }
}

/** A blow in a few words. */
export const describeBlow = (blow: readonly Fault[]) => blow.map(describeFault).join(' and ')

/** A fault in a few words. */
export function describeFault(fault: Fault): string {
  const { kind, lastsMs } = fault
  const details =
    'pair' in fault
      ? `${fault.pair}${fault.server === null ? '' : ` ${fault.server + 1}`}${fault.mode === 'delay' ? ` by ${fault.delayMs} ms` : ''}`
      : 'server' in fault
        ? `server ${fault.server + 1}`
        : 'who' in fault
          ? `${fault.who === 'worker' ? 'worker' : `server ${fault.who + 1}`} by ${fault.seconds} s`
          : 'log' in fault && fault.log
            ? 'with its log'
            : ''
  return [kind, details, lastsMs > 0 ? `for ${lastsMs} ms` : ''].filter(Boolean).join(' ')
}
