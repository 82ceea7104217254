/** Owns one process of the load generator: many plain TCP sockets speaking just enough WebSocket, told what to do by IPC. */
import type { Socket } from 'bun'
import { readFileSync } from 'node:fs'
import { readFrames, textFrame, upgradeRequest } from './frames.ts'

export interface OpenOrder {
  kind: 'open'
  port: number
  path: string
  count: number
  /** The loopback address to come from, nobody else's: its ports are given out in order. */
  from: string
  atOnce: number
  /** A file with one access token a line, and which of its lines is the first one's. */
  tokens?: { file: string; first: number }
}
/** Each socket sends `text` once and waits for a frame of the type; `inFlight` of them at once, `again` and again for so long. */
export interface AskOrder {
  kind: 'ask'
  text: string
  type: string
  inFlight: number
  seconds?: number
}
export interface WatchOrder {
  kind: 'watch'
  seconds: number
}
/** From now on one socket after the other joins or leaves, so that the line is never the same for long. */
export interface StirOrder {
  kind: 'stir'
  everyMs: number
}
export interface CloseOrder {
  kind: 'close'
}
export type Order = OpenOrder | AskOrder | WatchOrder | StirOrder | CloseOrder

export interface Opened {
  opened: number
  failed: number
}
export interface Asked {
  answered: number
  seconds: number
  /** The `number` of each answer that has one. */
  numbers: number[]
}
export interface Watched {
  seconds: number
  /** Frames by type. */
  frames: Record<string, number>
  /** How old each `line` was when it came, ms, by how often its socket is told: at least twice a second is near. */
  nearAges: number[]
  ages: number[]
  /** Sockets the server closed since they were opened, by code. */
  closed: Record<string, number>
}
export type Result<O extends Order> = O extends OpenOrder
  ? Opened
  : O extends AskOrder
    ? Asked
    : O extends WatchOrder
      ? Watched
      : object

interface Waiter {
  /** What it says first. */
  request: string
  rest: Buffer | null
  upgraded: boolean
  /** Ages of the lines of the present watch. */
  ages: number[]
}
type Client = Socket<Waiter>

/** What a frame of ours begins with: `{"type":"` and then its type. */
const TYPE_AT = '{"type":"'.length
const QUOTE = 0x22
const AT = Buffer.from('"at":"')
const AT_LENGTH = 24
const NUMBER = Buffer.from('"number":')
/** Ages are kept of at most so many frames of one watch. */
const AGES_MAX = 200_000
/** A socket told so often a second in a watch stands near the front. */
const NEAR_FRAMES_A_SECOND = 2

const FIRST_PORT = 2_048

const clients = new Set<Client>()
let nextPort = FIRST_PORT
const closed: Record<string, number> = {}
let closing = false
/** Sockets that were asked already; a question without an end in time goes to the others. */
const asked = new WeakSet<Client>()
let frames: Record<string, number> = {}
let watching = false
let onText: ((client: Client, type: string, buffer: Buffer, start: number, end: number) => void) | null = null
let settleOpen: ((client: Client, ok: boolean) => void) | null = null

const latin1 = (buffer: Buffer, start: number, end: number) => buffer.toString('latin1', start, end)

function typeOf(buffer: Buffer, start: number): string {
  let end = start + TYPE_AT
  while (end < buffer.length && buffer[end] !== QUOTE) end += 1
  return latin1(buffer, start + TYPE_AT, end)
}

let lastAt = ''
let lastAtMs = 0
function ageOf(buffer: Buffer, start: number, end: number): number {
  const at = buffer.indexOf(AT, start)
  if (at < 0 || at >= end) return Number.NaN
  const text = latin1(buffer, at + AT.length, at + AT.length + AT_LENGTH)
  if (text !== lastAt) {
    lastAt = text
    lastAtMs = Date.parse(text)
  }
  return Date.now() - lastAtMs
}

const events = {
  client: null as Client | null,
  text(buffer: Buffer, start: number, end: number) {
    const type = typeOf(buffer, start)
    frames[type] = (frames[type] ?? 0) + 1
    const client = this.client!
    if (watching && type === 'line') client.data.ages.push(ageOf(buffer, start, end))
    onText?.(client, type, buffer, start, end)
  },
  ping(reply: Buffer) {
    this.client!.write(reply)
  },
  closed(code: number) {
    closed[code] = (closed[code] ?? 0) + 1
  },
}

const handlers = {
  open(client: Client) {
    clients.add(client)
    client.write(client.data.request)
  },
  data(client: Client, chunk: Buffer) {
    const { data } = client
    let buffer = data.rest ? Buffer.concat([data.rest, chunk]) : chunk
    let offset = 0
    if (!data.upgraded) {
      const head = buffer.indexOf('\r\n\r\n')
      if (head < 0) {
        data.rest = Buffer.from(buffer)
        return
      }
      data.upgraded = latin1(buffer, 9, 12) === '101'
      offset = head + 4
      settleOpen?.(client, data.upgraded)
      if (!data.upgraded) return void client.end()
    }
    events.client = client
    offset = readFrames(buffer, offset, events)
    // Copied, because the chunk's memory is used again.
    data.rest = offset < buffer.length ? Buffer.from(buffer.subarray(offset)) : null
  },
  close(client: Client) {
    if (!clients.delete(client) || closing) return
    if (client.data.upgraded) closed.lost = (closed.lost ?? 0) + 1
    else settleOpen?.(client, false)
  },
  error() {},
}

async function open({ port, path, count, from, atOnce, tokens }: OpenOrder): Promise<Opened> {
  const lines = tokens
    ? readFileSync(tokens.file, 'latin1')
        .split('\n')
        .slice(tokens.first, tokens.first + count)
    : []
  const done = { opened: 0, failed: 0 }
  let next = 0
  await new Promise<void>((resolve) => {
    const settled = (ok: boolean) => {
      done[ok ? 'opened' : 'failed'] += 1
      if (done.opened + done.failed === count) resolve()
      else begin()
    }
    settleOpen = (_client, ok) => settled(ok)
    const begin = () => {
      if (next >= count) return
      const request = upgradeRequest(`127.0.0.1:${port}`, path, lines[next])
      next += 1
      const options: Bun.TCPSocketConnectOptions<Waiter> & { localAddress: string; localPort: number } = {
        hostname: '127.0.0.1',
        port,
        localAddress: from,
        // Left to the kernel, looking for a free port takes longer the more are taken.
        localPort: (nextPort += 1),
        data: { request, rest: null, upgraded: false, ages: [] },
        socket: handlers,
      }
      Bun.connect(options).catch(() => settled(false))
    }
    for (let i = 0; i < Math.min(atOnce, count); i++) begin()
  })
  return done
}

const ANSWERED_WITHIN_MS = 2_000

async function ask({ text, type, inFlight, seconds }: AskOrder): Promise<Asked> {
  const frame = textFrame(text)
  const asking = [...clients].filter((client) => seconds || !asked.has(client))
  if (!seconds) for (const client of asking) asked.add(client)
  const numbers: number[] = []
  const began = performance.now()
  const deadline = seconds ? began + seconds * 1_000 : 0
  let [next, answered, sent] = [0, 0, 0]
  const send = () => {
    if (deadline ? performance.now() > deadline : next >= asking.length) return
    asking[next % asking.length]!.write(frame)
    next += 1
    sent += 1
  }
  await new Promise<void>((resolve) => {
    // A socket asked too often within a second is not answered any more: a question with an end in time ends.
    if (seconds) setTimeout(resolve, seconds * 1_000 + ANSWERED_WITHIN_MS)
    onText = (_client, got, buffer, start, end) => {
      if (got !== type && got !== 'error') return
      answered += got === type ? 1 : 0
      const at = buffer.indexOf(NUMBER, start)
      if (got === type && at > 0 && at < end)
        numbers.push(Number.parseInt(latin1(buffer, at + NUMBER.length, end), 10))
      sent -= 1
      send()
      if (sent === 0) resolve()
    }
    for (let i = 0; i < Math.min(inFlight, asking.length); i++) send()
  })
  onText = null
  return { answered, seconds: (performance.now() - began) / 1_000, numbers: deadline ? [] : numbers }
}

async function watch({ seconds }: WatchOrder): Promise<Watched> {
  frames = {}
  for (const { data } of clients) data.ages = []
  watching = true
  const began = performance.now()
  await Bun.sleep(seconds * 1_000)
  watching = false
  const took = (performance.now() - began) / 1_000
  const [nearAges, ages]: number[][] = [[], []]
  for (const { data } of clients) {
    const into = data.ages.length >= took * NEAR_FRAMES_A_SECOND ? nearAges! : ages!
    for (const age of data.ages) if (into.length < AGES_MAX) into.push(age)
    data.ages = []
  }
  return { seconds: took, frames: { ...frames }, nearAges: nearAges!, ages: ages!, closed: { ...closed } }
}

const JOIN = textFrame('{"type":"join"}')
const LEAVE = textFrame('{"type":"leave"}')

function stir({ everyMs }: StirOrder): object {
  const stirring = [...clients]
  let turn = 0
  setInterval(() => {
    const round = Math.floor(turn / stirring.length)
    stirring[turn % stirring.length]?.write(round % 2 === 0 ? JOIN : LEAVE)
    turn += 1
  }, everyMs)
  return {}
}

process.on('message', async (order: Order) => {
  switch (order.kind) {
    case 'open':
      return process.send!(await open(order))
    case 'ask':
      return process.send!(await ask(order))
    case 'watch':
      return process.send!(await watch(order))
    case 'stir':
      return process.send!(stir(order))
    case 'close':
      closing = true
      for (const client of clients) client.end()
      clients.clear()
      process.send!({})
      return process.exit(0)
  }
})
process.send!({ ready: true })
