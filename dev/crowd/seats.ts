/** Owns what the crowd knows of the seats: one shared look at the availability, taken at most twice a second. */
import type { AvailabilityView } from '../../server/protocol/http.ts'
import type { Api } from './api.ts'

const LOOK_EVERY_MS = 500
const AVAILABLE = 0

export class Seats {
  readonly #api: Api
  readonly #eventId: string
  #free: number[] = []
  #lookedAt = 0
  #looking: Promise<void> | undefined

  constructor(api: Api, eventId: string) {
    this.#api = api
    this.#eventId = eventId
  }

  get left(): number {
    return this.#free.length
  }

  /** Up to `count` seats that were free a moment ago, at random; fewer, or none, when no more are. */
  async pick(count: number): Promise<string[]> {
    if (Date.now() - this.#lookedAt > LOOK_EVERY_MS) await this.look()
    const picked = new Set<number>()
    const wanted = Math.min(count, this.#free.length)
    while (picked.size < wanted) {
      const seat = this.#free[Math.floor(Math.random() * this.#free.length)]
      if (seat !== undefined) picked.add(seat)
    }
    return [...picked].map((n) => `${this.#eventId}:${n}`)
  }

  /** Passed over until the next look. */
  forget(seatIds: string[]) {
    const gone = new Set(seatIds.map((id) => Number(id.slice(id.lastIndexOf(':') + 1))))
    this.#free = this.#free.filter((n) => !gone.has(n))
  }

  /** Looks once, however many ask at the same time. */
  look(): Promise<void> {
    this.#looking ??= this.#fetch().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #fetch() {
    const path = `/event/${this.#eventId}/availability`
    const answer = await this.#api.call<AvailabilityView>({ method: 'GET', path })
    this.#lookedAt = Date.now()
    if (answer.ok) this.#free = decodeFree(answer.data)
  }
}

/** The indexes of the available seats: seat n stands at bits 2(n mod 4) of byte ⌊n/4⌋. */
export function decodeFree({ status, total }: Pick<AvailabilityView, 'status' | 'total'>): number[] {
  const bytes = Buffer.from(status, 'base64')
  const free: number[] = []
  for (let n = 0; n < total; n += 1) {
    if ((((bytes[n >> 2] ?? 0xff) >> (2 * (n & 3))) & 3) === AVAILABLE) free.push(n)
  }
  return free
}
