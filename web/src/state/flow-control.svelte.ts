// Owns the two valves of a line while its sale runs: how many may be at the seats, how many come in a minute, and what that does.
import type { RoomSettingsView, RoomStatsView } from '../../../server/protocol/http.ts'
import type { Problem } from '../net/api.ts'
import { saveRoom } from '../net/organiser-calls.ts'

export const ACTIVE_MAX = 100_000
export const RATE_MAX = 10_000_000

export interface Forecast {
  perMinute: number
  /** Until the last who waits now comes in; null when nobody does, or nobody would. */
  minutes: number | null
}

export class FlowControl {
  activeMax = $state<number | null>(null)
  /** Null = as many as there is room for. */
  perMinute = $state<number | null>(null)
  busy = $state(false)
  problem = $state.raw<Problem | null>(null)
  /** When the last change was put in force (server time, ms), and the flow just before it. */
  changed = $state.raw<{ at: number; before: number } | null>(null)
  /** What is in force, as last told. */
  #known = $state.raw<RoomSettingsView | null>(null)
  readonly #eventId: string

  constructor(eventId: string) {
    this.#eventId = eventId
  }

  /** Follows what is in force, as long as nothing else is typed. */
  follow(settings: RoomSettingsView): void {
    const untouched = this.#known === null || !this.isChanged
    this.#known = settings
    if (!untouched || this.busy) return
    this.activeMax = settings.activeMax
    this.perMinute = settings.admitPerMinute ?? null
  }

  get isChanged(): boolean {
    const { activeMax, perMinute } = this
    return (
      this.#known !== null &&
      (activeMax !== this.#known.activeMax || perMinute !== (this.#known.admitPerMinute ?? null))
    )
  }

  get isValid(): boolean {
    const { activeMax, perMinute } = this
    return isWhole(activeMax, ACTIVE_MAX) && (perMinute === null || isWhole(perMinute, RATE_MAX))
  }

  undo(): void {
    this.activeMax = this.#known?.activeMax ?? null
    this.perMinute = this.#known?.admitPerMinute ?? null
    this.problem = null
  }

  async apply(line: RoomStatsView, now: number): Promise<void> {
    const { activeMax, perMinute } = this
    if (this.busy || activeMax === null || !this.isValid) return
    this.busy = true
    const { enabled, lobbyAt, doorSeconds, passSeconds, graceSeconds } = line.settings
    const answer = await saveRoom(this.#eventId, {
      enabled,
      lobbyAt: lobbyAt ?? null,
      activeMax,
      admitPerMinute: perMinute,
      doorSeconds,
      passSeconds,
      graceSeconds,
    })
    this.busy = false
    this.problem = answer.ok ? null : answer.problem
    if (!answer.ok) return
    this.#known = answer.data
    this.activeMax = answer.data.activeMax
    this.perMinute = answer.data.admitPerMinute ?? null
    this.changed = { at: now, before: line.perMinute }
  }
}

const isWhole = (value: number | null, most: number) =>
  value !== null && Number.isInteger(value) && value >= 1 && value <= most

/**
 * What the flow comes to with other valves (Little's law: those at the seats = those let in × how long they stay); null
 * while too few have come in to know how long that is.
 */
export function forecastFlow(
  line: Pick<RoomStatsView, 'active' | 'perMinute' | 'waiting' | 'called'>,
  valves: { activeMax: number | null; perMinute: number | null },
): Forecast | null {
  if (line.perMinute === 0 || line.active === 0 || valves.activeMax === null) return null
  const stayMinutes = line.active / line.perMinute
  const room = valves.activeMax / stayMinutes
  const perMinute = Math.min(room, valves.perMinute ?? Infinity)
  const ahead = line.waiting + line.called
  return { perMinute, minutes: ahead > 0 && perMinute > 0 ? ahead / perMinute : null }
}
