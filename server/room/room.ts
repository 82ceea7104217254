// Owns the rules of the line: who may try, in which order, and how many at once. All state of a room lives in Redis.
//
//   outside ──join──▶ waiting ──call──▶ called ──claim──▶ door ──▶ admitted
//      ▲                 │  ▲             │                           │
//      └── leave · away ─┘  └── step back ┤                           │
//      └────────── no-show · leave ───────┴──── leave · pass over ────┘
//
// - A number is an arrival's index; a place is a position in the line. Whoever is in the lobby when the sale starts has
//   the place the draw gives the number (draw.ts); whoever comes later, or finds no lobby, has place = number.
// - Everybody with a place below the watermark `serving` has been called. Raising it is all that calling costs: nobody
//   is looked at one by one, and each raise (a turn) remembers only how many of it are still to claim.
// - A pass is issued in one place only (lua/admission.lua), which holds the two limits: live passes ≤ activeMax, and
//   issued in any 60 s ≤ admitPerMinute. Who claims while neither allows it waits at the door, in order.
// - Turns and lost connections run out in room time, which stands still while the room is paused or off.
// - Redis lost: a new epoch starts where Postgres last saw the line, some numbers further; nobody is admitted while a
//   pass of the old epoch may still be in use; whoever shows the signed ticket of an old number gets that number back.
import type { RedisClient } from '../../db/redis.ts'
import type { RoomProgress, RoomSettings } from '../../db/rooms.ts'
import { LIMITS, type ErrorCode, type RoomPhase } from '../protocol/codes.ts'
import type { PlaceClaims, Tokens } from '../tokens.ts'
import { restoredDraw, waitsForDraw } from './draw.ts'
import type { Draws } from './draws.ts'
import {
  parseEntrant,
  parseSnapshot,
  roomOff,
  settingsFields,
  type Entrant,
  type RoomSnapshot,
} from './entrant.ts'
import { RESTORE_LOCK_MS, restoreLockKey, roomKeys } from './keys.ts'
import type { RoomClock } from './room-clock.ts'
import { refuseLost, runScript, type ScriptAnswer, type ScriptArgument, type ScriptName } from './scripts.ts'

/** How many go first when somebody called steps back. */
export const DEFER_PLACES = LIMITS.deferPlaces
/** Numbers left out when Redis was lost: more than can have been given out since the last save to Postgres. */
export const EPOCH_GAP = 100_000
const RATE_WINDOW_MS = 60_000
const GONE_BUCKETS_MAX = 96
/** A client without a socket is believed to be there for this long after it asked, or for the grace when that is longer. */
const HTTP_PRESENCE_SECONDS = 60
const RESTORE_ATTEMPTS = 80
const RESTORE_WAIT_MS = 50
/** After Redis was started again: longer than any server takes to connect again and say what it knows of the line. */
const DOUBT_MS = 1_500

export interface SeatCounts {
  total: number
  available: number
  reserved: number
}

export interface RoomParts {
  redis: RedisClient
  clock: RoomClock
  tokens: Pick<Tokens, 'signPass' | 'verifyPass' | 'signPlace' | 'verifyPlace'>
  /** Null when there is no such event. */
  loadSettings(eventId: string): Promise<RoomSettings | null>
  /** How far the line had come when last saved; null when it never moved. Without it, nothing ever was. */
  findProgress?(eventId: string): Promise<RoomProgress | null>
  /** Reserves the next epoch durably before anybody is in it. */
  startEpoch(eventId: string, gap: number): Promise<RoomProgress>
  /** Null while the seats are not known. */
  seats(eventId: string): Promise<SeatCounts | null>
  /** Told of every number and pass that leaves this server, and of what is given up here. */
  witness?: {
    over(eventId: string, accountId: string): void
    numbered(eventId: string, epoch: number, number: number): void
    issued(eventId: string, accountId: string, pass: { epoch: number; number: number; endsAt: number }): void
  }
  /** The draws of lobbies; without it nobody is ever drawn. */
  draws?: Pick<Draws, 'decided' | 'isListed'>
  /** Told once for each pass issued. */
  admitted(waitSeconds: number): void
}

/** `fresh`: a number was given out just now. */
export type Move =
  { ok: true; entrant: Entrant; fresh?: boolean } | { ok: false; refusal: ErrorCode; message?: string }
export type Line = ReturnType<typeof createLine>

const REFUSED_TO_JOIN: Partial<Record<RoomPhase, string>> = {
  off: 'This event has no waiting room; book directly.',
  scheduled: 'The waiting room has not opened yet.',
  closed: 'The waiting room is closed.',
}

/** The moves of one server on any event's line. Refusals are values; only `store_unavailable` is thrown, as a Refusal. */
export function createLine(parts: RoomParts) {
  const { redis, clock, tokens } = parts

  /** Runs a script, starting the line first when Redis does not know it; null when the event has no room switched on. */
  async function run(
    name: ScriptName,
    eventId: string,
    args: ScriptArgument[] = [],
  ): Promise<ScriptAnswer | null> {
    const answer = await runScript(redis, name, eventId, clock.now(), args)
    if (answer[0] !== 'unknown') return answer
    const settings = await parts.loadSettings(eventId)
    if (!settings?.enabled) return null
    await ensure(settings)
    return runScript(redis, name, eventId, clock.now(), args)
  }

  /** Starts the line's first epoch, or its next one after Redis was lost. Safe to call at once from many servers. */
  async function ensure(settings: RoomSettings): Promise<void> {
    const { eventId } = settings
    const draw = (await parts.draws?.decided(eventId)) ?? null
    const lock = restoreLockKey(eventId)
    let locked = false
    for (let attempt = 0; attempt < RESTORE_ATTEMPTS && !locked; attempt++) {
      locked = (await redis.set(lock, '1', 'PX', RESTORE_LOCK_MS, 'NX').catch(refuseLost)) !== null
      if (locked) break
      await Bun.sleep(RESTORE_WAIT_MS)
      const [known] = await runScript(redis, 'find-entrant', eventId, clock.now(), ['', 0])
      if (known !== 'unknown') return
    }
    const [known] = await runScript(redis, 'find-entrant', eventId, clock.now(), ['', 0])
    if (known === 'unknown' && !(await goesOn(eventId))) {
      const { epoch, arrivals, serving } = await parts.startEpoch(eventId, EPOCH_GAP)
      const window = settings.admitPerMinute === null ? 0 : RATE_WINDOW_MS
      // Before the draw nobody was called, so no pass of the lost epoch can be in use.
      const lost = { epoch, arrivals: epoch === 1 ? 0 : arrivals - EPOCH_GAP, serving }
      const undrawn = draw !== null && waitsForDraw(draw, lost)
      const heldMs = Math.max(settings.passSeconds * 1_000, window)
      const heldUntil = epoch === 1 || undrawn ? 0 : clock.now() + heldMs
      await runScript(redis, 'restore', eventId, clock.now(), [
        epoch,
        arrivals,
        serving,
        heldUntil,
        ...restoredDraw(draw, undrawn),
      ])
      await push(settings)
    }
    if (locked) await redis.del(lock).catch(refuseLost)
  }

  /** Whether a line found in a Redis that was started again is whole; waits until every server had its say. */
  async function goesOn(eventId: string): Promise<boolean> {
    const saved = await parts.findProgress?.(eventId)
    const args = [saved?.epoch ?? '', saved?.arrivals ?? '', saved?.serving ?? '', DOUBT_MS]
    for (;;) {
      const [word] = await runScript(redis, 'adopt', eventId, clock.now(), args)
      if (word !== 'doubted') return word !== 'lost'
      await Bun.sleep(RESTORE_WAIT_MS)
    }
  }

  async function push(settings: RoomSettings): Promise<void> {
    const fields = [settings.version, ...settingsFields(settings)]
    await runScript(redis, 'configure', settings.eventId, clock.now(), fields)
  }

  return {
    clock,
    run,
    ensure,
    admitted: parts.admitted,
    push,

    /** Gives up what Redis holds of a line and starts its next epoch; everybody comes back by ticket. */
    async restart(settings: RoomSettings): Promise<void> {
      await redis.del(...roomKeys(settings.eventId)).catch(refuseLost)
      await ensure(settings)
    },

    /**
     * Enters the line, or comes back to the place the account has. `ticket` is the signed place of an earlier `joined`;
     * one that is not ours or of another account or event counts as none. `socket` names the connection, '' over HTTP.
     * `priority` enters by the separate share as well; it counts when the account has no place yet.
     */
    async join(
      eventId: string,
      accountId: string,
      { ticket = '', socket = '', priority = false } = {},
    ): Promise<Move> {
      const claims = ticket ? tokens.verifyPlace(ticket) : null
      const own =
        claims && claims !== 'expired' && claims.accountId === accountId && claims.eventId === eventId
          ? claims
          : null
      const enter = (claimed: PlaceClaims | null, listed = '') =>
        run('join', eventId, [
          accountId,
          socket,
          claimed?.number ?? '',
          claimed?.epoch ?? '',
          HTTP_PRESENCE_SECONDS,
          priority ? '1' : '',
          listed,
        ])
      let answer = await enter(own)
      if (answer?.[0] === 'prove') {
        const listed = await parts.draws!.isListed(eventId, own!.number, accountId)
        answer = await (listed ? enter(own, '1') : enter(null))
      }
      const phase = answer === null ? 'off' : answer[0] === 'refused' ? (answer[1] as RoomPhase) : null
      if (phase === null) {
        const move = moved(accountId, answer!)
        const { number, epoch } = move.entrant
        if (number !== null) parts.witness?.numbered(eventId, epoch, number)
        return move
      }
      const message = REFUSED_TO_JOIN[phase]
      return { ok: false, refusal: 'event_not_on_sale', ...(message ? { message } : {}) }
    },

    /** Where the account stands; `present` also says that a client without a socket is still there. */
    async entrant(eventId: string, accountId: string, { present = false } = {}): Promise<Entrant> {
      const answer = await run('find-entrant', eventId, [accountId, present ? HTTP_PRESENCE_SECONDS : 0])
      return answer ? parseEntrant(accountId, answer) : outside(accountId)
    },

    /** Takes the turn. Somebody still waiting keeps waiting; a repeat answers the same pass. */
    async claim(eventId: string, accountId: string): Promise<Move> {
      const answer = await run('claim', eventId, [accountId])
      if (answer === null) return { ok: true, entrant: outside(accountId) }
      for (const seconds of answer.slice(10)) parts.admitted(Number(seconds))
      return moved(accountId, answer)
    },

    /** Gives up the place, the turn or the pass; having none is fine. */
    async leave(eventId: string, accountId: string): Promise<Move> {
      const answer = await run('leave', eventId, [accountId])
      parts.witness?.over(eventId, accountId)
      return {
        ok: true,
        entrant: answer ? { ...outside(accountId), epoch: Number(answer[5]) } : outside(accountId),
      }
    },

    /** Steps back DEFER_PLACES places, once, when called. */
    async defer(eventId: string, accountId: string): Promise<Move> {
      const answer = await run('defer', eventId, [accountId, DEFER_PLACES])
      if (answer?.[0] === 'deferred') return moved(accountId, answer)
      return {
        ok: false,
        refusal: 'request_invalid',
        message: 'Stepping back is possible once, while you are called.',
      }
    },

    /** Starts the grace of a place whose connection `socket` was lost. */
    async drop(eventId: string, accountId: string, socket: string): Promise<void> {
      await runScript(redis, 'mark-away', eventId, clock.now(), [accountId, socket])
    },

    /** What everybody may know; null when there is no such event. */
    async look(eventId: string): Promise<RoomSnapshot | null> {
      const args = [GONE_BUCKETS_MAX]
      let answer = await runScript(redis, 'view-room', eventId, clock.now(), args)
      if (answer[0] === 'unknown') {
        const settings = await parts.loadSettings(eventId)
        if (!settings) return null
        const free = (await parts.seats(eventId))?.available ?? 0
        if (!settings.enabled) return roomOff(settings, free, clock.now())
        await ensure(settings)
        answer = await runScript(redis, 'view-room', eventId, clock.now(), args)
      }
      const snapshot = parseSnapshot(eventId, answer[1]!, clock.now())
      // A room nobody ticks (switched off) has no word of its seats; what this server knows is never older.
      const seatsLeft = (await parts.seats(eventId))?.available ?? snapshot.seatsLeft
      return { ...snapshot, seatsLeft }
    },

    /** The signed proof of a place, to come back with. */
    signTicket: (eventId: string, { accountId, number, epoch }: Entrant): string =>
      tokens.signPlace({ accountId, eventId, number: number!, epoch }),

    /** The signed pass of somebody admitted; each signing proves the same admission. */
    signPass(eventId: string, { accountId, number, epoch, expiresAt }: Entrant): string {
      parts.witness?.issued(eventId, accountId, { epoch, number: number!, endsAt: expiresAt!.getTime() })
      return tokens.signPass({ accountId, eventId, epoch, expiresAt: expiresAt! })
    },
  }
}

const outside = (accountId: string): Entrant => ({
  accountId,
  state: 'outside',
  why: null,
  number: null,
  place: null,
  epoch: 0,
  socket: '',
  claimBefore: null,
  expiresAt: null,
  deferred: false,
  priority: false,
})
const moved = (accountId: string, answer: ScriptAnswer): Extract<Move, { ok: true }> => ({
  ok: true,
  entrant: parseEntrant(accountId, answer),
  fresh: answer[0] === 'joined',
})
