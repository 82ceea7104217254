/** Owns `crowd`: synthetic buyers through the public API and socket, so that a person can watch the room move. */
import { parseArgs } from 'node:util'
import type { DevBuyerView, EventView } from '../server/protocol/http.ts'
import { Api } from './crowd/api.ts'
import { newRecord, runBuyer } from './crowd/buyer.ts'
import type { BuyerRecord } from './crowd/buyer.ts'
import { joinByHttp, joinBySocket } from './crowd/line.ts'
import { bookedSince, drawProgress, drawReport, makeReport, progressOf } from './crowd/report.ts'
import { Seats } from './crowd/seats.ts'
import { findRunning } from './live-stores.ts'

const USAGE = `crowd -- --event ID --buyers N
  --event ID      the event (default: the demo's)
  --buyers N      how many, 1 to 20000 (default 100)
  --party N       seats each of them wants, 1 to 20 (default 1); A-B: anything between
  --pay SHARE     how many of them pay, 0 to 1 (default 1)
  --lost SHARE    of their payments, how many the provider never tells of, 0 to 1 (default 0)
  --minutes N     how long they may take together, 0.1 to 120 (default 10)
  --patience S    seconds without a seat to be had after which one gives up (default 15)
  --think S       seconds each of them looks at the map before taking seats, the mean (default 0)
  --rehearsal     refuse any event but a copy made for a rehearsal
  --http          the line over HTTP instead of a socket
  --url URL       an Onsale elsewhere (default: the one that runs here)
  --json          the result as JSON
  --lines         where the crowd stands, each second, and the result: a line of JSON each`

const MOST_BUYERS = 20_000
const MOST_PARTY = 20
const LONGEST_THINK_SECONDS = 600
const LONGEST_MINUTES = 120
const LONGEST_PATIENCE_SECONDS = 3_600
const BUYERS_A_REQUEST = 1_000
/** A real crowd comes within seconds, not within one: the generator itself must not be what is measured. */
const ARRIVALS_A_SECOND = 250
const SECOND_MS = 1_000

const options = readOptions()
const deadline = Date.now() + options.minutes * 60 * SECOND_MS
const refusals = new Map<string, number>()
const events = { refused: (code: string) => void refusals.set(code, (refusals.get(code) ?? 0) + 1) }
const say = options.json || options.lines ? console.error : console.log
process.exit(await main())

async function main(): Promise<number> {
  const visitor = new Api(options.url, undefined, deadline, events)
  const event = await visitor.call<EventView>({ method: 'GET', path: `/event/${options.event}` })
  if (!event.ok) leave(`Event ${options.event} cannot be seen at ${options.url}: ${event.code}`)
  if (options.rehearsal && !event.data.rehearsal)
    leave(`${event.data.name} is no rehearsal: a made-up crowd must not buy its seats`)
  const room = event.data.room.enabled
  const seats = new Seats(visitor, event.data.id)
  await seats.look()
  say(
    `${options.buyers} buyers for ${event.data.name}: ${seats.left} free seats, room ${room ? 'on' : 'off'}`,
  )
  const buyers = await makeBuyers(visitor)
  const records = buyers.map(newRecord)
  const began = performance.now()
  const elapsed = () => (performance.now() - began) / SECOND_MS
  const booked = bookedSince(records)
  const tell = () => {
    const progress = progressOf(Math.round(elapsed()), records, seats.left)
    if (options.lines) console.log(JSON.stringify({ progress, bookedMs: booked() }))
    else say(drawProgress(progress))
  }
  const watch = setInterval(() => {
    void seats.look()
    tell()
  }, SECOND_MS)
  await Promise.all(
    buyers.map((buyer, index) => sendBuyer(buyer, index, records[index] ?? newRecord(), seats, room)),
  )
  clearInterval(watch)
  if (options.lines) tell()
  const report = makeReport(records, refusals, elapsed(), openingOf(event.data))
  if (options.lines) console.log(JSON.stringify({ report }))
  else console.log(options.json ? JSON.stringify(report, null, 2) : drawReport(report))
  const { refused = 0, out_of_time: late = 0 } = report.outcomes
  return report.overtakings.length === 0 && refused === 0 && late === 0 ? 0 : 1
}

function openingOf({ onSaleAt }: EventView): number {
  return onSaleAt === null ? 0 : Date.parse(onSaleAt)
}

async function sendBuyer(
  { accessToken: token }: DevBuyerView,
  index: number,
  record: BuyerRecord,
  seats: Seats,
  room: boolean,
) {
  await Bun.sleep((index / ARRIVALS_A_SECOND) * SECOND_MS)
  const { url, event: eventId, party, pay, lost, patience, think } = options
  const api = new Api(url, token, deadline, events)
  const plan = {
    party: party.from + Math.floor(Math.random() * (party.to - party.from + 1)),
    eventId,
    deadline,
    room,
    pays: Math.random() < pay,
    losesWebhook: Math.random() < lost,
    patienceMs: patience * SECOND_MS,
    thinkMs: think * SECOND_MS,
  }
  await runBuyer(
    plan,
    {
      api,
      seats,
      join: (listen) => {
        return options.http
          ? joinByHttp({ eventId, listen }, api)
          : joinBySocket({ url, eventId, token, listen })
      },
    },
    record,
  )
}

async function makeBuyers(visitor: Api): Promise<DevBuyerView[]> {
  const buyers: DevBuyerView[] = []
  while (buyers.length < options.buyers) {
    const count = Math.min(BUYERS_A_REQUEST, options.buyers - buyers.length)
    const key = Bun.randomUUIDv7()
    const made = await visitor.call<DevBuyerView[]>({
      method: 'POST',
      path: '/dev/buyers',
      body: { count },
      key,
    })
    if (!made.ok)
      leave(`Buyers can only be made where the stores are embedded: ${options.url} says ${made.code}`)
    buyers.push(...made.data)
  }
  return buyers
}

function readOptions() {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  try {
    const { values } = parseArgs({
      options: {
        event: text,
        buyers: { ...text, default: '100' },
        party: { ...text, default: '1' },
        pay: { ...text, default: '1' },
        lost: { ...text, default: '0' },
        minutes: { ...text, default: '10' },
        patience: { ...text, default: '15' },
        think: { ...text, default: '0' },
        rehearsal: flag,
        lines: flag,
        url: text,
        http: flag,
        json: flag,
      },
    })
    const running = findRunning()
    const event = values.event ?? running?.demo?.eventId
    const url = values.url ?? running?.url
    if (!url) leave('Nothing runs here: start Onsale with `npm start`, or say --url')
    if (!event) leave(`Say which event\n${USAGE}`)
    return {
      event,
      url: url.replace(/\/+$/, ''),
      buyers: whole('--buyers', values.buyers, 1, MOST_BUYERS),
      party: partyOf(values.party),
      pay: between('--pay', values.pay, 0, 1),
      lost: between('--lost', values.lost, 0, 1),
      minutes: between('--minutes', values.minutes, 0.1, LONGEST_MINUTES),
      patience: between('--patience', values.patience, 0, LONGEST_PATIENCE_SECONDS),
      think: between('--think', values.think, 0, LONGEST_THINK_SECONDS),
      rehearsal: values.rehearsal,
      lines: values.lines,
      http: values.http,
      json: values.json,
    }
  } catch (error) {
    return leave(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
  }
}

/** "2", or "1-4" for anything from 1 to 4. */
function partyOf(text: string): { from: number; to: number } {
  const [from = '', to = from] = text.split('-', 2)
  const range = { from: whole('--party', from, 1, MOST_PARTY), to: whole('--party', to, 1, MOST_PARTY) }
  return range.from <= range.to ? range : leave(`--party must go upwards\n${USAGE}`)
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = between(name, text, least, most)
  return Number.isInteger(value) ? value : leave(`${name} must be a whole number\n${USAGE}`)
}

function between(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= least && value <= most) return value
  return leave(`${name} must lie between ${least} and ${most}\n${USAGE}`)
}

function leave(sentence: string): never {
  console.error(sentence)
  process.exit(1)
}
