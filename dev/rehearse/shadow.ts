// Owns the shadow of an event: its copy, with the planned settings run so many times as fast as on the day.
import type { Ledger } from '../../db/client.ts'
import { copyForRehearsal } from '../../db/rehearsal.ts'
import { LIMITS } from '../../server/protocol/codes.ts'
import type { EventView, RoomSettingsView, RoomStatsView } from '../../server/protocol/http.ts'
import type { DemoAccount } from '../up/run-file.ts'

/** Below these a wait is no wait any more, at whatever speed. */
const LEAST = { holdSeconds: 5, doorSeconds: 3, passSeconds: 10, graceSeconds: 5 }
/** Of a room that was never set: as the desk proposes it. */
const UNSET = { activeMax: 100, admitPerMinute: null, doorSeconds: 60, passSeconds: 600, graceSeconds: 300 }

export type RoomPlan = Pick<
  RoomSettingsView,
  'activeMax' | 'doorSeconds' | 'passSeconds' | 'graceSeconds'
> & { admitPerMinute: number | null }

export interface Shadow {
  eventId: string
  seats: number
  event: EventView
  /** As planned for the day itself. */
  planned: RoomPlan
  /** Times that could not be made as short as the speed asks, in words. */
  stretched: string[]
  stats(): Promise<RoomStatsView | null>
}

/** Asks as the demo's admin, who may manage any event. Answers are `data`; a refusal is an Error with its words. */
export async function signIn(url: string, admin: DemoAccount) {
  const call = async <T>(method: string, path: string, body?: unknown, token?: string): Promise<T> => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        'x-client': 'api',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const said = (await answer.json()) as { data: T; message: string }
    if (!answer.ok) throw new Error(`${method} ${path}: ${said.message}`)
    return said.data
  }
  const { email, password } = admin
  const { accessToken } = await call<{ accessToken: string }>('POST', '/auth/login', { email, password })
  return <T>(method: string, path: string, body?: unknown) => call<T>(method, path, body, accessToken)
}
export type Ask = Awaited<ReturnType<typeof signIn>>

/** The lobby is open at once; `onSaleAt` is when the line begins to move. */
export async function castShadow(
  { db }: Ledger,
  ask: Ask,
  { eventId, speed, onSaleAt }: { eventId: string; speed: number; onSaleAt: Date },
): Promise<Shadow> {
  const event = await ask<EventView>('GET', `/event/${eventId}`)
  const set = await ask<RoomStatsView>('GET', `/event/${eventId}/room/stats`).catch(() => null)
  const planned: RoomPlan = set?.settings.enabled
    ? { ...UNSET, ...set.settings, admitPerMinute: set.settings.admitPerMinute ?? null }
    : UNSET
  const copied = await copyForRehearsal(db, eventId, { onSaleAt, nameMax: LIMITS.nameMax })
  if (!copied.ok) throw new Error(`the event cannot be copied: ${copied.refusal}`)
  const copy = copied.rehearsal.eventId
  const faster = (seconds: number, least: number) => Math.max(least, Math.round(seconds / speed))
  await ask('PATCH', `/event/${copy}`, { holdSeconds: faster(event.holdSeconds, LEAST.holdSeconds) })
  const stretched = stretchedBy(speed, { ...planned, holdSeconds: event.holdSeconds })
  await ask('PUT', `/event/${copy}/room`, {
    enabled: true,
    lobbyAt: new Date().toISOString(),
    activeMax: planned.activeMax,
    admitPerMinute: planned.admitPerMinute === null ? null : Math.round(planned.admitPerMinute * speed),
    doorSeconds: planned.doorSeconds === 0 ? 0 : faster(planned.doorSeconds, LEAST.doorSeconds),
    passSeconds: faster(planned.passSeconds, LEAST.passSeconds),
    graceSeconds: faster(planned.graceSeconds, LEAST.graceSeconds),
  })
  return {
    eventId: copy,
    seats: copied.rehearsal.seats,
    event,
    planned,
    stretched,
    stats: () => ask<RoomStatsView>('GET', `/event/${copy}/room/stats`).catch(() => null),
  }
}

/** A door of 0 s opens by itself, at any speed. */
export function stretchedBy(speed: number, planned: Record<keyof typeof LEAST, number>): string[] {
  const names = Object.keys(LEAST) as (keyof typeof LEAST)[]
  return names
    .filter((name) => planned[name] > 0 && planned[name] / speed < LEAST[name])
    .map((name) => `${name} ${planned[name]} ran as if it were ${LEAST[name] * speed}`)
}
