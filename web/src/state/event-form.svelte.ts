// Owns an event being written: its fields as typed, what of them has changed, and sending them.
import type { CreateEventBody, EventView, UpdateEventBody } from '../../../server/protocol/http.ts'
import { newKey, type Answer, type Problem } from '../net/api.ts'
import { createEvent, updateEvent } from '../net/organiser-calls.ts'
import { instantOf, wallTime } from '../zoned-time.ts'

/** The fields that show what is wrong with them. */
export const EVENT_FIELDS = [
  'name',
  'location',
  'startsAt',
  'onSaleAt',
  'description',
  'currency',
  'timeZone',
  'holdSeconds',
  'maxSeatsPerBooking',
  'maxSeatsPerBuyer',
] as const

export class EventForm {
  name = $state('')
  description = $state('')
  location = $state('')
  /** Times as a clock at the event shows them. */
  startsAt = $state('')
  onSaleAt = $state('')
  timeZone = $state(Intl.DateTimeFormat().resolvedOptions().timeZone)
  currency = $state('EUR')
  holdSeconds = $state<number | null>(900)
  maxSeatsPerBooking = $state<number | null>(6)
  maxSeatsPerBuyer = $state<number | null>(8)
  busy = $state(false)
  problem = $state.raw<Problem | null>(null)
  #event: EventView | null = null
  #intent = { key: newKey(), of: '' }

  constructor(event: EventView | null) {
    if (event) this.#show(event)
  }

  #show(event: EventView): void {
    this.#event = event
    this.name = event.name
    this.description = event.description
    this.location = event.location
    this.timeZone = event.timeZone
    this.currency = event.currency
    this.startsAt = wallTime(event.startsAt, event.timeZone)
    this.onSaleAt = wallTime(event.onSaleAt, event.timeZone)
    this.holdSeconds = event.holdSeconds
    this.maxSeatsPerBooking = event.maxSeatsPerBooking
    this.maxSeatsPerBuyer = event.maxSeatsPerBuyer
  }

  /** Creates the event, or sends what has changed of it; null when refused, and `problem` says why. */
  async save(): Promise<EventView | null> {
    if (this.busy) return null
    this.busy = true
    const answer = await (this.#event ? this.#update(this.#event) : this.#create())
    this.busy = false
    this.problem = answer.ok ? null : answer.problem
    if (!answer.ok) return null
    this.#show(answer.data)
    return answer.data
  }

  #create(): Promise<Answer<EventView>> {
    const body = this.#body()
    const of = JSON.stringify(body)
    // The same details again are the same wish; changed ones are a new one.
    if (this.#intent.of !== of) this.#intent = { key: newKey(), of }
    return createEvent(body, this.#intent.key)
  }

  async #update(event: EventView): Promise<Answer<EventView>> {
    const now: UpdateEventBody = this.#body()
    const before: UpdateEventBody = { ...event, onSaleAt: event.onSaleAt }
    const fields = Object.keys(now) as (keyof UpdateEventBody)[]
    const changed = Object.fromEntries(
      fields.filter((field) => !isSame(now[field], before[field])).map((field) => [field, now[field]]),
    )
    if (Object.keys(changed).length === 0) return { ok: true, status: 200, data: event }
    return updateEvent(event.id, changed)
  }

  #body(): CreateEventBody {
    const { holdSeconds, maxSeatsPerBooking, maxSeatsPerBuyer } = this
    return {
      name: this.name.trim(),
      description: this.description.trim(),
      location: this.location.trim(),
      startsAt: instantOf(this.startsAt, this.timeZone) ?? '',
      onSaleAt: instantOf(this.onSaleAt, this.timeZone),
      timeZone: this.timeZone,
      currency: this.currency,
      ...(holdSeconds === null ? {} : { holdSeconds }),
      ...(maxSeatsPerBooking === null ? {} : { maxSeatsPerBooking }),
      ...(maxSeatsPerBuyer === null ? {} : { maxSeatsPerBuyer }),
    }
  }
}

/** A form knows minutes only: an instant within the same one is unchanged. */
function isSame(now: unknown, before: unknown): boolean {
  if (now === before) return true
  const isTime = typeof now === 'string' && typeof before === 'string' && now.endsWith('Z')
  return isTime && now.slice(0, 16) === before.slice(0, 16)
}
