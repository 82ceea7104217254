// Decides what of a room is shown over HTTP: to everybody, to an entrant, to the organiser.
import type { RedisClient } from '../../db/redis.ts'
import type { RoomSettings } from '../../db/rooms.ts'
import { peopleAhead, waitRange } from '../protocol/forecast.ts'
import { FLOW_LIMITS, type FlowLimit } from '../protocol/codes.ts'
import type { EntrantView, RoomSettingsView, RoomStatsView, RoomView } from '../protocol/http.ts'
import { lineFrame, roomFrame } from './broadcast.ts'
import type { Entrant, RoomSnapshot } from './entrant.ts'
import { roomKey } from './keys.ts'
import type { Line } from './room.ts'

import { refuseLost } from './scripts.ts'

/** Asking again sooner says nothing new; the nearer the front, the sooner. */
const POLL_NEAR_MS = 1_000
const POLL_FAR_MS = 10_000
const POLL_MS_PER_PLACE = 10
/** As many as the scripts keep. */
const WAITS_KEPT = 1_000
/** As the scripts keep shares and averages. */
const THOUSANDTHS = 1_000

/** The very fields of the socket's frames: who polls knows what who listens knows. */
export function roomView(snapshot: RoomSnapshot): RoomView {
  const { type: _room, ...room } = roomFrame(snapshot, snapshot.at)
  const { type: _line, at: _at, ...line } = lineFrame(snapshot)
  return { enabled: snapshot.enabled, ...room, ...line }
}

export async function entrantView(
  line: Pick<Line, 'signTicket' | 'signPass'>,
  snapshot: RoomSnapshot,
  entrant: Entrant,
): Promise<EntrantView> {
  const { state, number, place, epoch, claimBefore, expiresAt } = entrant
  const inLine = state === 'waiting' || state === 'called' || state === 'door'
  const room = roomView(snapshot)
  const ahead = state === 'waiting' && place !== null ? peopleAhead(place, room) : null
  const wait = ahead === null ? null : waitRange(ahead, { flow: null, ...room })
  return {
    state: state === 'door' ? 'called' : state,
    number,
    place,
    ticket: inLine ? line.signTicket(snapshot.eventId, entrant) : null,
    epoch: epoch || snapshot.epoch,
    deferred: entrant.deferred,
    ended: state === 'outside' ? entrant.why : null,
    claimBefore: claimBefore?.toISOString() ?? null,
    pass: state === 'admitted' ? line.signPass(snapshot.eventId, entrant) : null,
    expiresAt: expiresAt?.toISOString() ?? null,
    ahead,
    waitMinutes: wait && [wait.lowMinutes, wait.highMinutes],
    room,
    // Before the draw everybody is equally far.
    pollMs:
      state === 'waiting' && place === null
        ? POLL_FAR_MS
        : Math.min(POLL_FAR_MS, POLL_NEAR_MS + (ahead ?? 0) * POLL_MS_PER_PLACE),
  }
}

export const settingsView = (settings: RoomSettings): RoomSettingsView => ({
  enabled: settings.enabled,
  lobbyAt: settings.lobbyAt?.toISOString() ?? null,
  activeMax: settings.activeMax,
  admitPerMinute: settings.admitPerMinute,
  doorSeconds: settings.doorSeconds,
  passSeconds: settings.passSeconds,
  graceSeconds: settings.graceSeconds,
  challenge: settings.challenge,
  control: settings.control,
  priorityShare: settings.priorityShare,
})

export async function roomStats(
  redis: RedisClient,
  snapshot: RoomSnapshot,
  settings: RoomSettings,
): Promise<RoomStatsView> {
  const key = roomKey(snapshot.eventId, 'waits')
  const waits = (await redis.lrange(key, 0, WAITS_KEPT - 1).catch(refuseLost))
    .map(Number)
    .toSorted((a, b) => a - b)
  const percentile = (share: number) =>
    waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] ?? null
  const ended = snapshot.claims + snapshot.noShows
  return {
    waiting: snapshot.waiting,
    called: snapshot.called + snapshot.door,
    active: snapshot.active,
    admitted: snapshot.admitted,
    noShows: snapshot.noShows,
    noShowRate: ended === 0 ? 0 : snapshot.noShows / ended,
    perMinute: snapshot.perMinute,
    waitSeconds: { p50: percentile(0.5), p90: percentile(0.9), p99: percentile(0.99) },
    door: snapshot.door,
    seatsLeft: snapshot.seatsLeft,
    forecastCoverage: snapshot.forecasts > 0 ? snapshot.forecastsInside / snapshot.forecasts : null,
    ...(await flowOf(redis, snapshot)),
    settings: settingsView(settings),
  }
}

/** What holds the line back, as lua/flow.lua notes it. */
async function flowOf(redis: RedisClient, { eventId, phase }: RoomSnapshot) {
  const [limit, brake, reason, seatsPer, asked, missed] = await redis
    .hmget(roomKey(eventId, 'meta'), 'limit', 'brake', 'brakeReason', 'seatsPer', 'asked', 'missed')
    .catch(refuseLost)
  const share = asked ? Math.min(0.5, Number(missed ?? 0) / Math.max(1, Number(asked))) : 0
  const known = FLOW_LIMITS.find((word) => word === limit) ?? 'none'
  const shown: FlowLimit = phase === 'paused' || phase === 'sold_out' ? phase : known
  const braking = brake ? Number(brake) / THOUSANDTHS : 1
  return {
    limit: shown,
    overCall: 1 / (1 - share),
    brake: braking,
    reason: braking < 1 ? reason || null : null,
    seatsPerAdmission: seatsPer ? Number(seatsPer) / THOUSANDTHS : null,
  }
}
