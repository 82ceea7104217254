// Owns one line under test: several servers with clocks of their own on one real Redis, and the onlooker beside them.
import type { RedisClient } from '../../../db/redis.ts'
import type { RoomProgress, RoomSettings } from '../../../db/rooms.ts'
import { expandDraw, hashNow, placesOf } from '../../../server/protocol/draw.ts'
import type { RoomNews } from '../../../server/room/feed.ts'
import { roomFeedChannel, roomKeys } from '../../../server/room/keys.ts'
import { driveDraw, sha256, waitsForDraw } from '../../../server/room/draw.ts'
import { createDraws, type Draws } from '../../../server/room/draws.ts'
import { createLine, EPOCH_GAP, type Line, type SeatCounts } from '../../../server/room/room.ts'
import { tickRoom, type Ticked } from '../../../server/room/tick.ts'
import { memoryKeeper, type MemoryKeeper } from '../draw-keeper.ts'
import { configured, copyOf, hold, type Line as ModelLine } from './model.ts'
import { Oracle } from './oracle.ts'

/** One connection for moves, one that hears the announcements; shared by many worlds. */
export interface Wire {
  redis: RedisClient
  listen(channel: string, heard: (message: string) => void): Promise<() => Promise<void>>
}

export interface Node {
  owner: string
  skewMs: number
  line: Line
  draws: Draws
  /** Steps of a tick that this server was stopped in. */
  stalled: { steps: (() => Promise<void>)[]; ticked: Promise<Ticked> } | null
}

export interface WorldOptions {
  accounts: number
  skewMs: number
  settings: Partial<RoomSettings>
}

/** What a server was about to keep of a draw when it was killed. */
export type Death = Exclude<MemoryKeeper['dieBefore'], 'prepare' | 'leaves'>

export interface Ticket {
  token: string
  number: number
  epoch: number
}

/** Any moment; nothing here depends on the real one. */
export const START = Date.UTC(2030, 0, 1)
const NODES = 3
const BARRIER = '#'
const DOUBT_STEP_MS = 800

export interface World {
  eventId: string
  options: WorldOptions
  oracle: Oracle
  redis: RedisClient
  /** True time, ms; each server's clock is beside it by its skew. */
  now: number
  nodes: Node[]
  servers: number
  sockets: number
  settings: RoomSettings
  /** What Postgres keeps. */
  progress: RoomProgress | null
  seats: SeatCounts
  tickets: Map<string, Ticket[]>
  /** Passes the servers counted; null once one was killed before it had. */
  counted: number | null
  /** The watermark when the announcements were last read. */
  servingNow: number | null
  /** Who was last given the lease, and when. */
  holder: string
  heldAt: number
  /** An older state of Redis, with the picture of then. */
  copy: { dump: [key: string, value: Buffer][]; line: ModelLine } | null
  addNode(skewMs: number): Node
  at(node: Node): number
  /** The draw has been made true, or has come back after a lost Redis: the picture knows every place of the list. */
  drawn(again?: boolean): void
  /** Everything announced since it was last asked. */
  news(): Promise<RoomNews[]>
  /** Hears what a server's scripts announced, by that server's clock. */
  hear(node: Node): Promise<RoomNews[]>
  push(node: Node, settings?: RoomSettings): Promise<void>
  /** A whole tick, or one that stops after `steps` of its steps, whose others come later. */
  tick(node: Node, steps?: number, dies?: Death): Promise<void>
  /** Drives the draw; `dies`: the server is killed before that is kept. */
  draw(node: Node, fence: string, dies: Death): Promise<void>
  /** The steps of a stopped tick arrive, one by one. */
  resume(node: Node): Promise<void>
  /** Empties Redis of this line. */
  forget(): Promise<void>
  /** Notes the state of Redis. */
  keep(): Promise<void>
  /** Redis is started again from the noted state; servers that know more say so, as they do after each reconnect. */
  rollBack(): Promise<void>
  close(): Promise<void>
}

export async function openWorld(wire: Wire, options: WorldOptions): Promise<World> {
  const eventId = Bun.randomUUIDv7()
  const oracle = new Oracle()
  const [metaKey] = roomKeys(eventId) as [string]
  const heard: string[] = []
  let barrier = { text: '', reached: () => {} }
  let barriers = 0
  /** How far time moves whenever it is looked at: whoever waits for its passing does not wait for ever. */
  let doubting = 0
  /** What the server that starts an epoch takes for the settings. */
  let pushed: RoomSettings | null = null
  const keeper = memoryKeeper()
  await keeper.prepare(eventId)
  // The same run draws the same places.
  keeper.record!.secret = new Uint8Array(32)
  const stopListening = await wire.listen(roomFeedChannel(eventId), (message) => {
    if (message === barrier.text) barrier.reached()
    else heard.push(message)
  })
  const world: World = {
    eventId,
    options,
    oracle,
    redis: wire.redis,
    now: START,
    nodes: [],
    servers: 0,
    sockets: 0,
    settings: { ...FIRST_SETTINGS, ...options.settings, eventId } as RoomSettings,
    progress: null,
    seats: { total: 0, available: 0, reserved: 0 },
    tickets: new Map(),
    counted: 0,
    servingNow: null,
    holder: '',
    heldAt: 0,
    copy: null,

    addNode(skewMs: number): Node {
      const draws = createDraws({ keeper, beacon: null, now: () => world.now + skewMs })
      const node: Node = { owner: `s${world.servers++}`, skewMs, draws, line: null!, stalled: null }
      node.line = createLine({
        draws,
        redis: wire.redis,
        clock: {
          now: () => {
            world.now += doubting
            oracle.elapsed += doubting
            return world.now + node.skewMs
          },
        },
        tokens: plainTokens,
        loadSettings: async () => ({ ...world.settings }),
        findProgress: async () => world.progress,
        startEpoch: async (_eventId, gap) => {
          world.progress = nextEpoch(world.progress, gap)
          if (!oracle.line.lost) oracle.wiped()
          const { epoch, arrivals, serving } = world.progress
          const lost = { epoch, arrivals: epoch === 1 ? 0 : arrivals - EPOCH_GAP, serving }
          const draw = { ...keeper.record!, waits: waitsForDraw(keeper.record!, lost) }
          oracle.restarted(world.progress, pushed ?? world.settings, world.now + node.skewMs, draw)
          if (draw.seed) world.drawn(true)
          return world.progress
        },
        seats: async () => world.seats,
        admitted: () => {
          if (world.counted !== null) world.counted += 1
        },
      })
      world.nodes.push(node)
      return node
    },

    at: (node: Node) => world.now + node.skewMs,

    drawn(again = false) {
      const { seed, entrants } = keeper.record!
      oracle.drawn(placesOf(hashNow(expandDraw(seed!, entrants!), sha256)), entrants!, again)
    },

    async news(): Promise<RoomNews[]> {
      const text = `${BARRIER}${barriers++}`
      const reached = new Promise<void>((resolve) => (barrier = { text, reached: resolve }))
      const [serving] = await Promise.all([
        wire.redis.hget(metaKey, 'serving'),
        wire.redis.publish(roomFeedChannel(eventId), text),
        reached,
      ])
      world.servingNow = serving === null ? null : Number(serving)
      return heard.splice(0).map(readNews)
    },

    async hear(node: Node): Promise<RoomNews[]> {
      const news = await world.news()
      for (const each of news) {
        if (each.kind === 'drawn') world.drawn()
        oracle.heard(each, world.at(node), world.now)
      }
      if (world.servingNow !== null) oracle.advanced(world.servingNow)
      return news
    },

    async push(node: Node, settings = world.settings): Promise<void> {
      pushed = settings
      if (settings.enabled) await node.line.ensure(settings)
      pushed = null
      await node.line.push(settings)
      configured(oracle.line, settings, world.at(node))
    },

    async tick(node: Node, steps = Infinity, dies: Death = null): Promise<void> {
      if (node.stalled) return
      const held: (() => Promise<void>)[] = []
      let left = steps
      const stopped = Promise.withResolvers<'stopped'>()
      const line: Line = {
        ...node.line,
        run: (name, ...rest) => {
          if (name !== 'hold-lease' && left-- <= 0) {
            return new Promise((resolve, reject) => {
              held.push(() => node.line.run(name, ...rest).then(resolve, reject))
              stopped.resolve('stopped')
            })
          }
          return node.line.run(name, ...rest).then((answer) => {
            // Only the holder's word about the seats is taken.
            if (name !== 'hold-lease' || answer?.[0] !== 'holding') return answer
            oracle.line.seats = { ...world.seats }
            world.holder = node.owner
            world.heldAt = world.now
            return answer
          })
        },
      }
      const callsBefore = oracle.calls
      const ticked = tickRoom(line, eventId, node.owner, world.seats)
      if (steps === Infinity) {
        const { called, drawDue } = await ticked
        await world.hear(node)
        const calls = oracle.calls - callsBefore
        hold(called === calls, () => `${called} said to be called, ${calls} were`)
        if (drawDue) await world.draw(node, drawDue, dies)
        return
      }
      // Its steps are sent at once, so that with the first that is held all are.
      if ((await Promise.race([ticked, stopped.promise])) === 'stopped')
        node.stalled = { steps: held, ticked }
      await world.hear(node)
    },

    async draw(node: Node, fence: string, dies: Death): Promise<void> {
      keeper.dieBefore = dies
      const parts = { ...node.draws.parts, line: node.line, redis: wire.redis }
      await driveDraw(parts, world.settings, fence).catch((fault: unknown) => {
        if (!String(fault).includes('killed before')) throw fault
      })
      keeper.dieBefore = null
      const closed = await wire.redis.hget(metaKey, 'entrants')
      if (closed !== null) oracle.line.entrants ??= Number(closed)
      await world.hear(node)
    },

    async resume(node: Node): Promise<void> {
      const { stalled } = node
      if (!stalled) return
      for (const step of stalled.steps) {
        await step()
        const news = await world.hear(node)
        hold(world.holder === node.owner || news.every(({ kind }) => kind === 'changed'), () => {
          return `${node.owner} went on after ${world.holder} had taken over: ${JSON.stringify(news)}`
        })
      }
      node.stalled = null
      await stalled.ticked
    },

    async forget(): Promise<void> {
      const keys = await wire.redis.keys(`room:{${eventId}}:*`)
      if (keys.length > 0) await wire.redis.del(...keys)
    },

    async keep(): Promise<void> {
      if (oracle.line.lost) return
      const keys = await wire.redis.keys(`room:{${eventId}}:*`)
      const values = await Promise.all(keys.map((key) => wire.redis.dumpBuffer(key)))
      // A key may have run out since it was listed.
      const dump = keys.flatMap((key, i): [string, Buffer][] => (values[i] ? [[key, values[i]]] : []))
      world.copy = { dump, line: copyOf(oracle.line) }
    },

    async rollBack(): Promise<void> {
      const { copy } = world
      if (!copy || oracle.line.lost || !world.settings.enabled) return
      const { epoch, arrivals, serving, issued } = oracle.line
      await world.forget()
      for (const [key, value] of copy.dump) await wire.redis.restore(key, 0, value)
      await wire.redis.hset(metaKey, 'life', 'an earlier one')
      doubting = DOUBT_STEP_MS
      const node = world.nodes[0]!
      await node.line.run('attend', eventId, ['', epoch, arrivals, serving, issued, '+inf', 0, 0])
      await node.line.entrant(eventId, 'nobody')
      doubting = 0
      if (oracle.line.epoch === epoch) oracle.line = copyOf(copy.line)
      oracle.goneAt = world.now
      await world.push(node)
      await world.hear(node)
    },

    async close(): Promise<void> {
      await world.forget()
      await stopListening()
    },
  }
  for (let i = 0; i < NODES; i++) world.addNode((i - 1) * options.skewMs)
  await world.push(world.nodes[0]!)
  await world.hear(world.nodes[0]!)
  return world
}

const FIRST_SETTINGS: Omit<RoomSettings, 'eventId'> = {
  ownerId: 'organiser',
  eventStatus: 'PUBLISHED',
  onSaleAt: null,
  enabled: true,
  control: 'auto',
  lobbyAt: null,
  activeMax: 4,
  admitPerMinute: 12,
  doorSeconds: 8,
  passSeconds: 25,
  graceSeconds: 10,
  priorityShare: 0,
  challenge: 'off',
  noticeId: 0,
  noticeText: null,
  version: 1,
}

/** As Postgres does it (db/rooms.ts). */
function nextEpoch(last: RoomProgress | null, gap: number): RoomProgress {
  if (!last) return { epoch: 1, arrivals: 0, serving: 0 }
  return { epoch: last.epoch + 1, arrivals: last.arrivals + gap, serving: last.serving }
}

function readNews(message: string): RoomNews {
  const news = JSON.parse(message) as RoomNews
  if (news.kind === 'called' && !Array.isArray(news.alone)) news.alone = []
  return news
}

/** Forged tickets are another test's subject; here only what a genuine one says matters. */
const plainTokens: Parameters<typeof createLine>[0]['tokens'] = {
  signPass: ({ accountId, epoch, expiresAt }) => `${accountId}|${epoch}|${expiresAt.getTime()}`,
  verifyPass: () => null,
  signPlace: ({ accountId, eventId, number, epoch }) => `${accountId}|${eventId}|${number}|${epoch}`,
  verifyPlace: (token) => {
    const [accountId, eventId, number, epoch] = token.split('|')
    return { accountId: accountId!, eventId: eventId!, number: Number(number), epoch: Number(epoch) }
  },
}
