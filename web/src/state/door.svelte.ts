// Owns one door: which it is, what it was answered last, and how many it let in.
import { LIMITS } from '../../../server/protocol/codes.ts'
import type { ScanView } from '../../../server/protocol/http.ts'
import type { Problem } from '../net/api.ts'
import { countAdmissions, scanTicket } from '../net/door-calls.ts'
import { findDoor, keepDoor } from '../net/keep.ts'
import { serverClock } from '../net/server-clock.ts'
import { soundAnswer } from './door-sound.ts'

/** One press of a scanner may send its code twice; nobody passes a ticket on within this. */
const TWICE_WITHIN_MS = 1_500
/** Clocks may differ by as much between a question and its use of the ticket. */
const SAME_ENTRY_MS = 1_000
const COUNT_EVERY_MS = 20_000
const RECENT_MAX = 5

export interface DoorAnswer {
  code: string
  /** `unanswered`: nothing is known of the ticket. */
  kind: ScanView['result'] | 'unanswered'
  ticket: ScanView['ticket']
  problem: Problem | null
  /** Server time, ISO 8601. */
  at: string
  /** Let in by an earlier question of this device whose answer was lost. */
  again: boolean
}

export class Door {
  eventId = $state('')
  gate = $state('')
  sound = $state(true)
  /** It is known which door this is. */
  open = $state(false)
  busy = $state(false)
  answer = $state.raw<DoorAnswer | null>(null)
  recent = $state.raw<DoorAnswer[]>([])
  admitted = $state<number | null>(null)
  atGate = $state<number | null>(null)
  /** When the first question for a code that got no answer was asked, ms. */
  readonly #unanswered = new Map<string, number>()
  #next: string | null = null
  #asked = { code: '', at: -Infinity }

  constructor() {
    const kept = findDoor()
    if (!kept) return
    this.eventId = kept.eventId
    this.gate = kept.gate
    this.sound = kept.sound
    this.open = kept.eventId !== '' && kept.gate !== ''
  }

  begin(): void {
    this.gate = this.gate.trim()
    this.open = this.eventId !== '' && this.gate !== ''
    this.admitted = this.atGate = null
    this.keep()
    void this.count()
  }

  /** This event is over: the device is asked anew which door it is. */
  leave(): void {
    this.open = false
    this.eventId = ''
  }

  keep(): void {
    const { eventId, gate, sound } = this
    keepDoor({ eventId, gate, sound })
  }

  /** A code that comes while another is asked for waits for it; the same one twice is one. */
  async scan(typed: string): Promise<void> {
    const code = typed.trim()
    const twice = code === this.#asked.code && performance.now() - this.#asked.at < TWICE_WITHIN_MS
    if (code === '' || twice) return
    if (this.busy) {
      if (code !== this.#asked.code) this.#next = code
      return
    }
    await this.#ask(code)
    const next = this.#next
    this.#next = null
    if (next !== null) await this.scan(next)
  }

  /** Asks once more for what got no answer. */
  async again(): Promise<void> {
    if (this.answer && !this.busy) await this.#ask(this.answer.code)
  }

  async count(): Promise<void> {
    if (!this.open) return
    const since = new Date(serverClock.now())
    since.setHours(0, 0, 0, 0)
    const { eventId, gate } = this
    const answer = await countAdmissions({ eventId, gate, since: since.toISOString() })
    if (!answer.ok || eventId !== this.eventId || gate !== this.gate) return
    this.admitted = answer.data.admitted
    this.atGate = answer.data.atGate
  }

  /** Keeps the counts as other doors change them; returns how to stop. */
  follow(): () => void {
    const look = () => document.hidden || void this.count()
    look()
    const timer = setInterval(look, COUNT_EVERY_MS)
    return () => clearInterval(timer)
  }

  async #ask(code: string): Promise<void> {
    this.busy = true
    this.#asked = { code, at: Infinity }
    const askedAt = serverClock.now()
    const told = await this.#answerTo(code, askedAt)
    this.answer = told
    this.recent = [
      told,
      ...this.recent.filter((one) => one.kind !== 'unanswered' || one.code !== code),
    ].slice(0, RECENT_MAX)
    this.#asked.at = performance.now()
    this.busy = false
    if (this.sound) soundAnswer(told.kind === 'admitted')
    if (told.kind === 'admitted') void this.count()
  }

  async #answerTo(code: string, askedAt: number): Promise<DoorAnswer> {
    const at = new Date(askedAt).toISOString()
    const plain = { code, ticket: null, problem: null, at, again: false }
    // No ticket has so long a code; the server would call it no question at all.
    if (code.length > LIMITS.ticketCodeLength) return { ...plain, kind: 'invalid' }
    const { eventId, gate } = this
    const answer = await scanTicket({ code, gate, eventId })
    if (!answer.ok) {
      if (!this.#unanswered.has(code)) this.#unanswered.set(code, askedAt)
      return { ...plain, kind: 'unanswered', problem: answer.problem }
    }
    const { result, ticket } = answer.data
    const again = result === 'already_used' && this.#wasOurs(code, ticket)
    this.#unanswered.delete(code)
    return { ...plain, kind: again ? 'admitted' : result, ticket, again }
  }

  /** Used at this door since we asked in vain: that was our own question, whose answer was lost. */
  #wasOurs(code: string, ticket: ScanView['ticket']): boolean {
    const first = this.#unanswered.get(code)
    if (first === undefined || !ticket?.usedAt || ticket.gate !== this.gate) return false
    return Date.parse(ticket.usedAt) >= first - SAME_ENTRY_MS
  }
}
