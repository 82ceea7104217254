// Decides how a run goes: a stack, a crowd that never stops, one blow after another, and the verdict at the end.
import { createCrowd } from '../../db/crowd.ts'
import { createEvent, publishEvent } from '../../db/events.ts'
import { saveRoom } from '../../db/rooms.ts'
import { assignRoles, listRoles } from '../../db/roles.ts'
import { createSeats } from '../../db/seats.ts'
import { createTokens } from '../../server/tokens.ts'
import { buy, takeBack, type Buyer, type Crowd, type Hall } from './buyers.ts'
import { serversOf, strike } from './faults.ts'
import { History, now } from './history.ts'
import { PEOPLE, ROOM, standInLine, watchPasses } from './line.ts'
import { describeBlow, KINDS, planBlows, planFaults, randomOf, type Fault, type Kind } from './plan.ts'
import { startChaosStack, type ChaosStack } from './stack.ts'
import { judge, type Judged } from './verdict.ts'
import { createClient } from './wire.ts'

/** Few enough that most attempts meet somebody; as rows of a hall. */
const ROWS = 8
/** Of the sale with a waiting room. */
const ROWS_WITH_ROOM = 1
const SEATS_PER_ROW = 20
const HOLD_SECONDS = 5
const BUYERS = 120
const BUYER_SEATS_MAX = 100
/** Bookings taken back at once, so that seats are to be had again. */
const ORGANIZERS = 6
const DAY_MS = 86_400_000
const SESSION_MS = 2 * 3_600_000
const WARM_UP_ATTEMPTS = 200
/** A server that has not sold again within this has not recovered: a violation. */
const RECOVERY_MAX_MS = 30_000
/** What a fault with its rest takes at the least, for the pace of the crowd. */
const CYCLE_MS = 3_000
/** However long a fault takes, somebody keeps asking: attempts a second once the fault's share is used up. */
const LATE_PER_SECOND = 100
/** The crowd may be ahead of the faults by so much. */
const AHEAD = 50
const TURN_POLL_MS = 5
/** Buyers whose last request hangs are waited for so long. */
const GO_HOME_MS = 60_000

export interface ChaosOptions {
  seed: number
  faults: number
  /** How many of the faults strike at the same moment. */
  together: number
  reservations: number
  kinds: readonly Kind[]
  logDir?: string
  /** Done once the faults are over, while the crowd goes on. */
  meanwhile?(stack: ChaosStack, hall: Hall): Promise<void>
  say(sentence: string): void
}

export interface Struck {
  blow: Fault[]
  /** Until each server concerned had sold again, ms after the last of the faults was over; null when one did not. */
  recoveredMs: number | null
  /** The same from the moment they struck. */
  sinceBlowMs: number | null
  /** Servers, from 0, that did not. */
  silent: number[]
}

export interface ChaosResult {
  struck: Struck[]
  history: History
  judged: Judged
  skipped: { kind: Kind; why: string }[]
  seconds: number
  attemptsPerSecond: number
}

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const wanted = new Set(options.kinds)
  options.say('starting a stack of its own')
  const stack = await startChaosStack({
    smallDisk: wanted.has('disk-full'),
    falseClocks: wanted.has('clock-jumped'),
    ...(options.logDir === undefined ? {} : { logDir: options.logDir }),
  })
  // A stack that is left behind keeps its disk mounted.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void stack.stop().finally(() => process.exit(1)))
  try {
    return await sufferOn(stack, options)
  } finally {
    await stack.stop()
  }
}

/** A sale of its own on a stack that runs; several may follow one another. */
export async function sufferOn(stack: ChaosStack, options: ChaosOptions): Promise<ChaosResult> {
  const { seed, say } = options
  const skipped = Object.entries(stack.missing).map(([kind, why]) => ({ kind: kind as Kind, why }))
  for (const { kind, why } of skipped) say(`${kind} is left out: ${why}`)
  const kinds = KINDS.filter(
    (kind) => options.kinds.includes(kind) && !skipped.some((one) => one.kind === kind),
  )
  const faults = planFaults(seed, { count: options.faults, kinds, servers: stack.ports.length })
  const history = new History()
  const sale = await openSale(stack, history, seed)
  const began = now()
  const blows = planBlows(faults, options.together)
  const { struck, attempts, ms } = await suffer(stack, sale, blows, options)
  say('the sale is over; waiting until all is quiet')
  const { ledger, redisUrl } = stack
  const judged = await judge(history, {
    ledger,
    redisUrl,
    eventIds: [sale.crowd, sale.line].map(({ hall }) => hall.eventId),
  })
  const seconds = (now() - began) / 1_000
  return { struck, history, judged, skipped, seconds, attemptsPerSecond: attempts / (ms / 1_000) }
}

interface Sale {
  crowd: Crowd
  buyers: Buyer[]
  /** The sale with a waiting room, and who goes there. */
  line: Crowd
  people: Buyer[]
  organizer: Buyer
  /** Attempts allowed so far, and whether the sale is over. */
  pace: { allowed: number; over: boolean }
  close(): void
}

async function openSale(stack: ChaosStack, history: History, seed: number): Promise<Sale> {
  const organizer = await makeOrganizer(stack)
  const hall = await openHall(stack, organizer.accountId, ROWS)
  const small = await openHall(stack, organizer.accountId, ROWS_WITH_ROOM)
  await saveRoom(stack.ledger.db, small.eventId, ROOM)
  const buyers = await askForBuyers(stack.ports[0]!, BUYERS + PEOPLE)
  const people = buyers.splice(BUYERS)
  const pace = { allowed: 0, over: false }
  const random = randomOf(seed ^ 0x5eed)
  const waiting: ((goOn: boolean) => void)[] = []
  let given = 0
  const crowd: Crowd = {
    clients: stack.ports.map(createClient),
    history,
    hall,
    random,
    sold: [],
    over: () => pace.over,
    turn: () => new Promise((resolve) => waiting.push(resolve)),
  }
  const clock = setInterval(() => {
    while (waiting.length > 0 && (pace.over || given < pace.allowed)) {
      given += 1
      waiting.shift()!(!pace.over)
    }
  }, TURN_POLL_MS)
  const line = { ...crowd, hall: small }
  const unwatch = watchPasses(line, stack.redisUrl)
  const close = () => {
    clearInterval(clock)
    unwatch()
  }
  return { crowd, buyers, line, people, organizer, pace, close }
}

/** Through the API, as any load would. */
async function askForBuyers(port: number, count: number): Promise<Buyer[]> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/dev/buyers`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ count }),
  })
  const { data } = (await answer.json()) as { data: { id: string; accessToken: string }[] }
  return data.map(({ id, accessToken }) => ({ accountId: id, token: accessToken }))
}

async function makeOrganizer({ ledger, jwtSecret }: ChaosStack): Promise<Buyer> {
  const expiresAt = new Date(Date.now() + SESSION_MS)
  const [account] = await createCrowd(ledger.db, { count: 1, sessionsUntil: expiresAt })
  const { id: accountId, email, sessionId } = account!
  const role = (await listRoles(ledger.db)).find(({ name }) => name === 'ORGANIZER')!
  await assignRoles(ledger.db, { accountId, roleIds: [role.id] })
  const token = await createTokens({ secret: jwtSecret }).signAccess({
    accountId,
    sessionId,
    email,
    expiresAt,
  })
  return { accountId, token }
}

async function openHall({ ledger: { db } }: ChaosStack, ownerId: string, rows: number): Promise<Hall> {
  const made = await createEvent(db, {
    ownerId,
    name: 'A night of interruptions',
    location: 'Old hall',
    startsAt: new Date(Date.now() + 30 * DAY_MS),
    currency: 'EUR',
    timeZone: 'Europe/Berlin',
    maxSeatsPerBuyer: BUYER_SEATS_MAX,
    holdSeconds: HOLD_SECONDS,
  })
  if (!made.ok) throw new Error(`the event was refused: ${made.refusal}`)
  const tier = { name: 'Standard', price: 2_500 }
  const section = { name: 'Stalls', tier, rows, seatsPerRow: SEATS_PER_ROW }
  const seated = await createSeats(db, made.event.id, [section])
  if (!seated.ok) throw new Error(`the seats were refused: ${seated.refusal}`)
  await publishEvent(db, made.event.id)
  return { eventId: made.event.id, seats: rows * SEATS_PER_ROW }
}

/** The sale with its faults; ends when both the faults and the attempts are done. */
async function suffer(stack: ChaosStack, sale: Sale, blows: Fault[][], options: ChaosOptions) {
  const { crowd, pace } = sale
  const { history } = crowd
  const people = [
    ...sale.buyers.map((buyer) => buy(crowd, buyer)),
    ...sale.people.map((person) => standInLine(sale.line, person)),
    ...Array.from({ length: ORGANIZERS }, () => takeBack(crowd, sale.organizer)),
  ]
  const attempted = () => history.attemptCount
  const lost = () => {
    const sentence = stack.gaveUp()
    if (sentence) throw new Error(sentence)
  }
  const began = now()
  const struck: Struck[] = []
  try {
    pace.allowed = WARM_UP_ATTEMPTS
    while (attempted() < WARM_UP_ATTEMPTS / 2) await Bun.sleep(TURN_POLL_MS)
    const perBlow = (options.reservations - WARM_UP_ATTEMPTS) / Math.max(1, blows.length)
    for (const [at, blow] of blows.entries()) {
      lost()
      const startsAt = now()
      const allow = setInterval(() => {
        const ms = now() - startsAt
        const shareDone = Math.min(1, ms / CYCLE_MS)
        const more = (Math.max(0, ms - CYCLE_MS) * LATE_PER_SECOND) / 1_000
        pace.allowed = WARM_UP_ATTEMPTS + AHEAD + (at + shareDone) * perBlow + more
      }, TURN_POLL_MS)
      const one = await endure(stack, history, blow)
      struck.push(one)
      options.say(
        `${at + 1}/${blows.length} ${describeBlow(blow)}: ${one.recoveredMs === null ? 'NOT RECOVERED' : `${(one.recoveredMs / 1_000).toFixed(2)} s`} (${attempted()} attempts)`,
      )
      if (one.recoveredMs === null)
        history.violation(
          `after ${describeBlow(blow)} nobody could reserve for ${RECOVERY_MAX_MS / 1_000} s on server ${one.silent.map((server) => server + 1).join(' and ')}`,
        )
      await Bun.sleep(Math.max(...blow.map(({ restMs }) => restMs)))
      // What the crowd could not attempt meanwhile, it attempts before the next fault.
      while (attempted() < (at + 0.8) * perBlow && stack.gaveUp() === null) await Bun.sleep(TURN_POLL_MS)
      clearInterval(allow)
    }
    pace.allowed = Infinity
    await options.meanwhile?.(stack, crowd.hall)
    while (attempted() < options.reservations && stack.gaveUp() === null) await Bun.sleep(TURN_POLL_MS)
    lost()
  } finally {
    pace.over = true
  }
  const ms = now() - began
  const home = await Promise.race([Promise.all(people), Bun.sleep(GO_HOME_MS).then(() => null)])
  if (!home) throw new Error('the crowd did not go home')
  sale.close()
  for (const client of crowd.clients) client.close()
  return { struck, attempts: attempted(), ms }
}

async function endure(stack: ChaosStack, history: History, blow: Fault[]): Promise<Struck> {
  const began = now()
  const over = Math.max(...(await Promise.all(blow.map((fault) => strike(stack, fault)))))
  const silent = new Set(blow.flatMap(serversOf))
  const sellingAgain = [...silent].map((server) =>
    history.firstSuccess(server, over).then((moment) => {
      silent.delete(server)
      return moment
    }),
  )
  const at = await Promise.race([
    Promise.all(sellingAgain).then((moments) => Math.max(...moments)),
    Bun.sleep(RECOVERY_MAX_MS).then(() => null),
  ])
  if (at === null) return { blow, recoveredMs: null, sinceBlowMs: null, silent: [...silent] }
  return { blow, recoveredMs: at - over, sinceBlowMs: at - began, silent: [] }
}
