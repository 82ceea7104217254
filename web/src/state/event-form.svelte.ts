// Owns an event being written: its fields as typed and kept, what is wrong with them, what has changed, and sending it.
import type { CreateEventBody, EventView, UpdateEventBody } from '../../../server/protocol/http.ts'
import { eventProblems, saidByServer, type EventField, type TypedEvent } from '../event-rules.ts'
import { newKey, type Answer, type Problem } from '../net/api.ts'
import { findDraft, keepDraft } from '../net/keep.ts'
import { createEvent, updateEvent } from '../net/organiser-calls.ts'
import { serverClock } from '../net/server-clock.ts'
import { instantOf, wallTime } from '../zoned-time.ts'
import { session } from './session.svelte.ts'

/** What was typed since the window was opened: its own words are no surprise to anybody. */
const typedHere = new Set<string>()

/** What is kept of a field: what it was when it was typed over, and what it is. */
type Kept = Partial<Record<EventField, [was: unknown, is: unknown]>>

const NEW = 'new'
const ANEW = (): TypedEvent => ({
  name: '',
  description: '',
  location: '',
  startsAt: '',
  onSaleAt: '',
  timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  currency: 'EUR',
  holdSeconds: 900,
  maxSeatsPerBooking: 6,
  maxSeatsPerBuyer: 8,
})

export class EventForm {
  typed = $state<TypedEvent>(ANEW())
  busy = $state(false)
  /** What the server refused of the last send. */
  problem = $state.raw<Problem | null>(null)
  /** Something typed earlier and not saved stands in the fields. */
  restored = $state(false)
  #checked = $state.raw<Partial<Record<EventField, string>>>({})
  #checking: readonly EventField[] = []
  #event: EventView | null
  /** As saved, or as a new event begins. */
  #saved: TypedEvent
  #intent = { key: newKey(), of: '' }

  /** @param event null for one that does not exist yet */
  constructor(event: EventView | null) {
    this.#event = event
    this.#saved = event ? typedOf(event) : ANEW()
    this.typed = { ...this.#saved }
    this.#restore()
  }

  /** What is wrong with a field: as found here, else as the server said. */
  error(field: EventField): string | undefined {
    const here = this.#checked[field]
    const there = this.problem?.fields.find(({ path }) => path === `/${field}`)
    return here ?? (there && saidByServer(field, there.message))
  }

  /** True when these fields may be sent; what is wrong stands at them from now on. */
  check(fields: readonly EventField[]): boolean {
    this.#checking = fields
    const wrong = eventProblems(this.typed, serverClock.now(), this.#event ? this.#saved.startsAt : '')
    this.#checked = Object.fromEntries(
      Object.entries(wrong).filter(([field]) => fields.includes(field as EventField)),
    )
    return Object.keys(this.#checked).length === 0
  }

  /** Called after every change: a reload, the way back or an ended session lose nothing. */
  changed(): void {
    typedHere.add(this.#what)
    this.#keep()
    this.problem = null
    if (Object.keys(this.#checked).length > 0) this.check(this.#checking)
  }

  #keep(): void {
    const kept: Kept = {}
    for (const field of Object.keys(this.#saved) as EventField[])
      if (this.typed[field] !== this.#saved[field]) kept[field] = [this.#saved[field], this.typed[field]]
    keepDraft(this.#account, this.#what, Object.keys(kept).length > 0 ? kept : null)
  }

  discard(): void {
    this.typed = { ...this.#saved }
    this.#checked = {}
    this.problem = null
    this.restored = false
    this.#keep()
  }

  /** Creates the event, or sends what has changed of these fields; null when refused, and the fields say why. */
  async save(fields: readonly EventField[]): Promise<EventView | null> {
    if (this.busy || !this.check(fields)) return null
    this.busy = true
    const answer = await (this.#event ? this.#update(this.#event, fields) : this.#create())
    this.busy = false
    this.problem = answer.ok ? null : answer.problem
    if (!answer.ok) return null
    const wasNew = this.#event === null
    if (wasNew) keepDraft(this.#account, NEW, null)
    this.#event = answer.data
    this.#saved = typedOf(answer.data)
    // What is typed in another step and not sent stays as it is typed.
    for (const field of wasNew ? (Object.keys(this.#saved) as EventField[]) : fields) this.#take(field)
    this.restored = false
    this.#keep()
    return answer.data
  }

  #take<F extends EventField>(field: F): void {
    this.typed[field] = this.#saved[field]
  }

  get #account(): string {
    return session.user?.id ?? ''
  }

  get #what(): string {
    return this.#event?.id ?? NEW
  }

  /** What was typed over something that has changed since belongs to the past. */
  #restore(): void {
    const kept = findDraft(this.#account, this.#what)
    if (kept === null || typeof kept !== 'object') return
    for (const field of Object.keys(this.#saved) as EventField[]) {
      const pair = (kept as Record<string, unknown>)[field]
      if (!Array.isArray(pair) || (this.#event && pair[0] !== this.#saved[field])) continue
      const [, is] = pair as unknown[]
      if (is !== null && typeof is !== typeof (this.#saved[field] ?? 0)) continue
      if (is === null && typeof this.#saved[field] === 'string') continue
      Object.assign(this.typed, { [field]: is })
      this.restored = !typedHere.has(this.#what)
    }
  }

  #create(): Promise<Answer<EventView>> {
    const body = bodyOf(this.typed)
    const of = JSON.stringify(body)
    // The same details again are the same wish; changed ones are a new one.
    if (this.#intent.of !== of) this.#intent = { key: newKey(), of }
    return createEvent(body, this.#intent.key)
  }

  async #update(event: EventView, fields: readonly EventField[]): Promise<Answer<EventView>> {
    const body: UpdateEventBody = bodyOf(this.typed)
    const zoneMoves = this.typed.timeZone !== this.#saved.timeZone
    const isChanged = (field: EventField) =>
      this.typed[field] !== this.#saved[field] ||
      (zoneMoves && (field === 'startsAt' || field === 'onSaleAt') && this.typed[field] !== '')
    const changed = fields.filter(isChanged).map((field) => [field, body[field]])
    if (changed.length === 0) return { ok: true, status: 200, data: event }
    return updateEvent(event.id, Object.fromEntries(changed) as UpdateEventBody)
  }
}

/** Is something of a new event kept here that was never saved? Its name, maybe ''. */
export function begunEvent(): string | null {
  const kept = findDraft(session.user?.id ?? '', NEW)
  if (kept === null || typeof kept !== 'object') return null
  const name = (kept as Kept).name?.[1]
  return typeof name === 'string' ? name : ''
}

const typedOf = (event: EventView): TypedEvent => ({
  name: event.name,
  description: event.description,
  location: event.location,
  timeZone: event.timeZone,
  currency: event.currency,
  startsAt: wallTime(event.startsAt, event.timeZone),
  onSaleAt: wallTime(event.onSaleAt, event.timeZone),
  holdSeconds: event.holdSeconds,
  maxSeatsPerBooking: event.maxSeatsPerBooking,
  maxSeatsPerBuyer: event.maxSeatsPerBuyer,
})

function bodyOf(typed: TypedEvent): CreateEventBody {
  const { holdSeconds, maxSeatsPerBooking, maxSeatsPerBuyer, timeZone } = typed
  return {
    name: typed.name.trim(),
    description: typed.description.trim(),
    location: typed.location.trim(),
    startsAt: instantOf(typed.startsAt, timeZone) ?? '',
    onSaleAt: instantOf(typed.onSaleAt, timeZone),
    timeZone,
    currency: typed.currency,
    ...(holdSeconds === null ? {} : { holdSeconds }),
    ...(maxSeatsPerBooking === null ? {} : { maxSeatsPerBooking }),
    ...(maxSeatsPerBuyer === null ? {} : { maxSeatsPerBuyer }),
  }
}
