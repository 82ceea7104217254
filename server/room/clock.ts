// Owns the clock of one server: which rooms it ticks, how often, and what it saves of them to Postgres.
import type { RedisClient } from '../../db/redis.ts'
import type { RoomProgress, RoomSettings } from '../../db/rooms.ts'
import type { Log } from '../log.ts'
import { faultFields } from '../log.ts'
import type { NewStep } from '../../db/steps.ts'
import type { RoomSnapshot } from './entrant.ts'
import { ForecastLog, type ForecastScore } from './forecast-log.ts'
import { ROOM_KEY_SECONDS, roomKeys } from './keys.ts'
import type { Line, SeatCounts } from './room.ts'
import { keepSteps, type KeptSteps } from './save-steps.ts'
import { TICK_MS, tickRoom } from './tick.ts'

const REFRESH_EVERY_TICKS = 4
/** A room where nobody has waited, claimed or booked for a while, or whose clock another server is, is looked at this seldom. */
const SELDOM_EVERY_TICKS = 4
const IDLE_AFTER_MS = 60_000
const RENEW_KEYS_EVERY_MS = 10 * 60_000
const FAULT_LOG_EVERY_MS = 5_000

export interface ClockParts {
  line: Line
  redis: RedisClient
  /** A name no other process has. */
  owner: string
  log: Log
  listRooms(): Promise<RoomSettings[]>
  loadSettings(eventId: string): Promise<RoomSettings | null>
  /** Answers what is stored after it. */
  saveProgress(eventId: string, progress: RoomProgress): Promise<RoomProgress>
  saveSteps(eventId: string, steps: NewStep[]): Promise<void>
  seats(eventId: string): Promise<SeatCounts | null>
  noShows(turns: number): void
  /** Forecasts that ended, by how they came out. */
  forecast(score: ForecastScore): void
  /** Takes the draw of a room as far as it can go now. */
  draw(settings: RoomSettings, fence: string): Promise<unknown>
  /** Of all rooms this server holds, each second. */
  counted(figures: RoomsCounted): void
  /** A room was ticked, by this server or by whoever holds its clock: all is well with it. */
  ticked(eventId: string): void
  /** A room is over, or switched off. */
  forgotten(eventId: string): void
}

export interface RoomsCounted {
  waiting: number
  /** Of those, in rooms that are open and have seats left. */
  waitingOpen: number
  /** Live passes. */
  active: number
}

interface Ticking {
  settings: RoomSettings
  holding: boolean
  idle: boolean
  busyAt: number
  saved: RoomProgress | null
  keptSteps: KeptSteps | null
  waiting: number
  waitingOpen: number
  active: number
  keysRenewedAt: number
  forecasts: ForecastLog
  /** The draw goes on beside the ticks that keep its lease. */
  drawing: Promise<unknown> | null
}

/** Starts ticking; `stop` ends it when the tick under way is over. */
export function startClock(parts: ClockParts): { stop(): Promise<void> } {
  const rooms = new Map<string, Ticking>()
  let ticks = 0
  let running: Promise<void> | null = null
  let faultLoggedAt = 0

  const complain = (fault: unknown) => {
    if (Date.now() - faultLoggedAt < FAULT_LOG_EVERY_MS) return
    faultLoggedAt = Date.now()
    parts.log.warn('room_tick_failed', faultFields(fault))
  }

  async function tickAll() {
    const refresh = ticks % REFRESH_EVERY_TICKS === 0
    if (refresh) await refreshRooms(parts, rooms).catch(complain)
    await Promise.all(
      [...rooms.values()].map((room, index) =>
        (room.idle || !room.holding) && (ticks + index) % SELDOM_EVERY_TICKS !== 0
          ? undefined
          : tick(parts, room, refresh).catch(complain),
      ),
    )
    if (refresh) {
      const held = [...rooms.values()].filter((room) => room.holding)
      const sum = (field: keyof RoomsCounted) => held.reduce((all, room) => all + room[field], 0)
      parts.counted({
        waiting: sum('waiting'),
        waitingOpen: sum('waitingOpen'),
        active: sum('active'),
      })
    }
    ticks += 1
  }

  const timer = setInterval(() => {
    // A tick that takes longer than its time is not run twice at once; the next one starts when it is over.
    running ??= tickAll().finally(() => (running = null))
  }, TICK_MS)
  return {
    async stop() {
      clearInterval(timer)
      await running
      await Promise.all([...rooms.values()].map((room) => room.drawing))
    },
  }
}

/** Takes up rooms that were switched on, hands the settings in force to Redis, and says once that a room is over. */
async function refreshRooms(parts: ClockParts, rooms: Map<string, Ticking>): Promise<void> {
  const listed = await parts.listRooms()
  const current = new Set(listed.map(({ eventId }) => eventId))
  for (const eventId of rooms.keys()) {
    if (current.has(eventId)) continue
    rooms.delete(eventId)
    parts.forgotten(eventId)
    const settings = await parts.loadSettings(eventId)
    if (settings) await parts.line.push(settings)
  }
  for (const settings of listed) {
    const known = rooms.get(settings.eventId)
    if (known) known.settings = settings
    else
      rooms.set(settings.eventId, {
        settings,
        holding: false,
        idle: false,
        busyAt: Date.now(),
        saved: null,
        keptSteps: null,
        waiting: 0,
        waitingOpen: 0,
        active: 0,
        keysRenewedAt: 0,
        forecasts: new ForecastLog(),
        drawing: null,
      })
  }
}

async function tick(parts: ClockParts, room: Ticking, second: boolean): Promise<void> {
  const { eventId } = room.settings
  const ticked = await tickRoom(parts.line, eventId, parts.owner, await parts.seats(eventId))
  room.holding = ticked.holding
  parts.ticked(eventId)
  if (ticked.noShows > 0) parts.noShows(ticked.noShows)
  if (ticked.drawDue)
    room.drawing ??= parts
      .draw(room.settings, ticked.drawDue)
      .catch((fault: unknown) => parts.log.warn('draw_failed', { eventId, ...faultFields(fault) }))
      .finally(() => (room.drawing = null))
  if (!ticked.holding || !(second || room.idle)) return
  // Pushed each second whether or not it changed: a push that was lost or came late heals here.
  await parts.line.push(room.settings)
  await keepProgress(parts, room)
  if (Date.now() - room.keysRenewedAt > RENEW_KEYS_EVERY_MS) {
    room.keysRenewedAt = Date.now()
    await Promise.all(roomKeys(eventId).map((key) => parts.redis.expire(key, ROOM_KEY_SECONDS)))
  }
}

async function keepProgress(parts: ClockParts, room: Ticking): Promise<void> {
  const { eventId } = room.settings
  const view = await parts.line.look(eventId)
  if (!view) return
  await scoreForecasts(parts, room, view)
  room.waiting = view.waiting
  room.waitingOpen = view.phase === 'open' && view.seatsLeft > 0 ? view.waiting : 0
  room.active = view.active
  if (view.waiting + view.called + view.door + view.active > 0) room.busyAt = Date.now()
  room.idle = Date.now() - room.busyAt > IDLE_AFTER_MS
  const { epoch, arrivals, serving } = view
  room.keptSteps = await keepSteps(parts, eventId, epoch, room.keptSteps)
  const { saved } = room
  if (saved && saved.epoch === epoch && saved.arrivals === arrivals && saved.serving === serving) return
  const stored = await parts.saveProgress(eventId, { epoch, arrivals, serving })
  room.saved = { epoch, arrivals, serving }
  // Another server may have saved a later look; but a Redis that still knows less than Postgres has lost its latest
  // moves (restored from an older file, or a replica that was behind), and numbers would be given twice.
  if (stored.arrivals <= arrivals && stored.serving <= serving) return
  const again = await parts.line.look(eventId)
  if (!again || (again.arrivals >= stored.arrivals && again.serving >= stored.serving)) return
  parts.log.warn('room_restarted', { eventId, epoch })
  await parts.line.restart(room.settings)
}

async function scoreForecasts(
  { line, forecast }: ClockParts,
  room: Ticking,
  view: RoomSnapshot,
): Promise<void> {
  const score = room.forecasts.take(view)
  const ended = score.inside + score.early + score.late
  if (ended === 0) return
  forecast(score)
  await line.run('score-forecasts', room.settings.eventId, [ended, score.inside])
}
