// Owns what the scripts' answers mean in TypeScript: where an entrant stands, and what everybody may know of the line.
import type { RoomSettings } from '../../db/rooms.ts'
import type { ChallengeMode, EndedReason, RoomPhase } from '../protocol/codes.ts'
import { parsePace, type PaceWindow } from './pace.ts'
import type { ScriptAnswer } from './scripts.ts'

/** `door`: claimed, but no pass may be issued yet. Seen from outside it is still `called`. */
export type EntrantState = 'outside' | 'waiting' | 'called' | 'door' | 'admitted'

export interface Entrant {
  accountId: string
  state: EntrantState
  /** For `outside`: how the last place ended; null when there was none. */
  why: EndedReason | null
  number: number | null
  place: number | null
  epoch: number
  /** The connection that holds the place; '' without one. */
  socket: string
  /** For `called`. */
  claimBefore: Date | null
  /** For `admitted`. */
  expiresAt: Date | null
  /** Has stepped back once already. */
  deferred: boolean
  /** Entered by the separate share for priority. */
  priority: boolean
}

/** Reads what lua/line.lua's answer() writes. */
export function parseEntrant(accountId: string, answer: ScriptAnswer): Entrant {
  const [, state, detail, number, place, epoch, , socket, deferred, priority] = answer as string[]
  const at = (wanted: EntrantState) => (state === wanted ? new Date(Number(detail)) : null)
  return {
    accountId,
    state: state as EntrantState,
    why: state === 'outside' && detail ? (detail as EndedReason) : null,
    number: number ? Number(number) : null,
    place: place ? Number(place) : null,
    epoch: Number(epoch),
    socket: socket ?? '',
    claimBefore: at('called'),
    expiresAt: at('admitted'),
    deferred: deferred === '1',
    priority: priority === '1',
  }
}

/** What view-room.lua tells, and the settings in force. */
export interface RoomSnapshot {
  eventId: string
  enabled: boolean
  phase: RoomPhase
  epoch: number
  arrivals: number
  serving: number
  waiting: number
  /** [first place, entrants in the bucket who left], ascending; each bucket ends where the next one begins. */
  gone: [number, number][]
  perMinute: number
  seatsLeft: number
  called: number
  door: number
  active: number
  admitted: number
  claims: number
  noShows: number
  /** Forecasts of the wait that ended in this epoch, and those of them that came true. */
  forecasts: number
  forecastsInside: number
  /** Everybody ever called in this epoch, and those of them the watermark went over. */
  calls: number
  passed: number
  /** Free seats when the first was called; null before. */
  seatsAtStart: number | null
  /** How the line moved lately, oldest first. */
  pace: PaceWindow[]
  activeMax: number
  /** Null = unlimited. */
  admitPerMinute: number | null
  /** The room was open once, by the clock or by hand. */
  opened: boolean
  lobbyAt: Date | null
  onSaleAt: Date | null
  doorSeconds: number
  passSeconds: number
  /** Of every hundred admissions, at most so many go to priority. */
  priorityShare: number
  challenge: ChallengeMode
  noticeId: number
  noticeText: string | null
  /** When no pass of a lost epoch can still be in use, ms; 0 = nothing was lost. */
  heldUntil: number
  /** Hex; what the draw's secret was promised by. */
  commitment: string | null
  /** Hex; null until the lobby's list is closed and read. */
  root: string | null
  /** Hex; null until places are drawn. */
  seed: string | null
  /** Numbers below it have the places the seed gives them; 0 = nobody was drawn for. */
  drawn: number
  /** The room's clock when this was true, ms. */
  at: number
}

/** The settings as configure.lua takes them: pairs of field and value. */
export function settingsFields(settings: RoomSettings): string[] {
  return Object.entries({
    enabled: settings.enabled ? '1' : '0',
    status: settings.eventStatus,
    control: settings.control,
    lobbyAt: msOf(settings.lobbyAt),
    onSaleAt: msOf(settings.onSaleAt),
    activeMax: String(settings.activeMax),
    admitPerMinute: settings.admitPerMinute === null ? '' : String(settings.admitPerMinute),
    doorSeconds: String(settings.doorSeconds),
    passSeconds: String(settings.passSeconds),
    graceSeconds: String(settings.graceSeconds),
    priorityShare: String(settings.priorityShare),
    challenge: settings.challenge,
    noticeId: String(settings.noticeId),
    noticeText: settings.noticeText ?? '',
  }).flat()
}

export function parseSnapshot(eventId: string, json: string, at: number): RoomSnapshot {
  const { settings, gone, pace, seatsAtStart, ...counts } = JSON.parse(json) as Omit<
    RoomSnapshot,
    'gone' | 'pace' | 'seatsAtStart'
  > & {
    /** JSON in JSON, as it was kept. */
    gone: string
    seatsAtStart?: number
    /** Lua writes an empty list as {}. */
    pace: string[] | object
    settings: Record<string, string | undefined>
  }
  return {
    ...counts,
    eventId,
    commitment: counts.commitment || null,
    root: counts.root ?? null,
    seed: counts.seed ?? null,
    gone: JSON.parse(gone) as [number, number][],
    pace: Array.isArray(pace) ? pace.map(parsePace) : [],
    seatsAtStart: seatsAtStart ?? null,
    activeMax: Number(settings.activeMax ?? 0),
    admitPerMinute: settings.admitPerMinute ? Number(settings.admitPerMinute) : null,
    enabled: settings.enabled === '1',
    lobbyAt: dateOf(settings.lobbyAt),
    onSaleAt: dateOf(settings.onSaleAt),
    doorSeconds: Number(settings.doorSeconds ?? 0),
    passSeconds: Number(settings.passSeconds ?? 0),
    priorityShare: Number(settings.priorityShare ?? 0),
    challenge: (settings.challenge ?? 'off') as ChallengeMode,
    noticeId: Number(settings.noticeId ?? 0),
    noticeText: settings.noticeText || null,
    at,
  }
}

/** The room of an event that never had one switched on. */
export function roomOff(settings: RoomSettings, seatsLeft: number, at: number): RoomSnapshot {
  const none = { arrivals: 0, serving: 0, waiting: 0, perMinute: 0, called: 0, door: 0, active: 0 }
  return {
    ...none,
    eventId: settings.eventId,
    enabled: false,
    phase: 'off',
    epoch: 0,
    gone: [],
    seatsLeft,
    admitted: 0,
    claims: 0,
    noShows: 0,
    forecasts: 0,
    forecastsInside: 0,
    calls: 0,
    passed: 0,
    seatsAtStart: null,
    pace: [],
    activeMax: settings.activeMax,
    admitPerMinute: settings.admitPerMinute,
    opened: false,
    lobbyAt: settings.lobbyAt,
    onSaleAt: settings.onSaleAt,
    doorSeconds: settings.doorSeconds,
    passSeconds: settings.passSeconds,
    priorityShare: settings.priorityShare,
    challenge: settings.challenge,
    noticeId: settings.noticeId,
    noticeText: settings.noticeText,
    heldUntil: 0,
    commitment: null,
    root: null,
    seed: null,
    drawn: 0,
    at,
  }
}

const msOf = (date: Date | null) => (date ? String(date.getTime()) : '')
const dateOf = (ms: string | undefined) => (ms ? new Date(Number(ms)) : null)
