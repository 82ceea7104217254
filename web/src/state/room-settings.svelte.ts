// Owns the waiting room's settings as its organiser types them, and its controls.
import type { ChallengeMode } from '../../../server/protocol/codes.ts'
import type { EventView, RoomSettingsView } from '../../../server/protocol/http.ts'
import type { Problem } from '../net/api.ts'
import { getRoomStats, saveRoom } from '../net/organiser-calls.ts'
import { instantOf, wallTime } from '../zoned-time.ts'

export class RoomSettings {
  loaded = $state(false)
  enabled = $state(false)
  /** As a clock at the event shows it; '' = with the sale. */
  lobbyAt = $state('')
  activeMax = $state<number | null>(100)
  /** Null = as many as there is room for. */
  admitPerMinute = $state<number | null>(null)
  doorSeconds = $state<number | null>(60)
  passSeconds = $state<number | null>(600)
  graceSeconds = $state<number | null>(300)
  challenge = $state<ChallengeMode>('off')
  busy = $state(false)
  saved = $state(false)
  problem = $state.raw<Problem | null>(null)
  readonly #event: EventView

  constructor(event: EventView) {
    this.#event = event
  }

  async load(): Promise<void> {
    const answer = await getRoomStats(this.#event.id)
    this.problem = answer.ok ? null : answer.problem
    if (answer.ok) this.#show(answer.data.settings)
  }

  async save(): Promise<void> {
    if (this.busy) return
    this.busy = true
    this.saved = false
    const answer = await saveRoom(this.#event.id, {
      enabled: this.enabled,
      lobbyAt: instantOf(this.lobbyAt, this.#event.timeZone),
      activeMax: this.activeMax ?? 0,
      admitPerMinute: this.admitPerMinute,
      doorSeconds: this.doorSeconds ?? 0,
      passSeconds: this.passSeconds ?? 0,
      graceSeconds: this.graceSeconds ?? 0,
      challenge: this.challenge,
    })
    this.busy = false
    this.problem = answer.ok ? null : answer.problem
    if (!answer.ok) return
    this.saved = true
    this.#show(answer.data)
  }

  #show(settings: RoomSettingsView): void {
    this.loaded = true
    this.enabled = settings.enabled
    this.lobbyAt = wallTime(settings.lobbyAt ?? null, this.#event.timeZone)
    this.activeMax = settings.activeMax
    this.admitPerMinute = settings.admitPerMinute ?? null
    this.doorSeconds = settings.doorSeconds
    this.passSeconds = settings.passSeconds
    this.graceSeconds = settings.graceSeconds
    this.challenge = settings.challenge ?? 'off'
  }
}
