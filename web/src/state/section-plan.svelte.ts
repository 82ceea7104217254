// Owns sections being planned: what is typed, the hall as it would be, and making the seats.
import type { CreateSeatsBody, EventView, MapView } from '../../../server/protocol/http.ts'
import { LIMITS } from '../../../server/protocol/codes.ts'
import type { HouseView } from '../../../server/protocol/map-layout/house.ts'
import { layOut } from '../../../server/protocol/map-layout/lay-out.ts'
import type { Numbering } from '../../../server/protocol/seat-map.ts'
import { minorDigits } from '../currency.ts'
import { newKey, type Problem } from '../net/api.ts'
import { getMap } from '../net/calls.ts'
import { createSeats } from '../net/organiser-calls.ts'
import { Resource } from './resource.svelte.ts'

export type RowNames = 'letters' | 'numbers'
type Kind = 'seated' | 'general'

const LETTERS = 26
const LETTER_A = 65

export class PlannedSection {
  readonly id = newKey()
  readonly kind: Kind
  name = $state('')
  tier = $state('')
  /** As typed, in the currency's major unit. */
  price = $state<number | null>(null)
  rows = $state<number | null>(10)
  seatsPerRow = $state<number | null>(20)
  rowNames = $state<RowNames>('letters')
  numbering = $state<Numbering>('left-to-right')
  shape = $state<'straight' | 'arc'>('straight')
  capacity = $state<number | null>(100)

  constructor(kind: Kind) {
    this.kind = kind
  }

  get seats(): number {
    return this.kind === 'general' ? (this.capacity ?? 0) : (this.rows ?? 0) * (this.seatsPerRow ?? 0)
  }

  get rowLabels(): string[] {
    const label = this.rowNames === 'letters' ? letters : (at: number) => String(at + 1)
    return Array.from({ length: this.rows ?? 0 }, (_, at) => label(at))
  }
}

/** A … Z, AA … AZ, BA …, from the front. */
function letters(at: number): string {
  const letter = String.fromCharCode(LETTER_A + (at % LETTERS))
  return at < LETTERS ? letter : letters(Math.floor(at / LETTERS) - 1) + letter
}

export class SectionPlan {
  planned = $state.raw<PlannedSection[]>([])
  busy = $state(false)
  problem = $state.raw<Problem | null>(null)
  /** Seats made by the last press. */
  created = $state<number | null>(null)
  readonly map
  readonly #event: EventView
  #intent = { key: newKey(), of: '' }

  readonly newSeats: number = $derived(this.planned.reduce((sum, { seats }) => sum + seats, 0))
  readonly total: number = $derived.by(() => (this.map.value?.total ?? 0) + this.newSeats)
  /** The hall with what is planned; null when there is nothing to show, or too much. */
  readonly preview: MapView | null = $derived.by(() => this.#preview())

  constructor(event: EventView) {
    this.#event = event
    this.map = new Resource(() => getMap(event.id))
    void this.map.load()
  }

  add(kind: Kind): void {
    const section = new PlannedSection(kind)
    const last = this.planned.at(-1)
    section.tier = last?.tier ?? ''
    section.price = last?.price ?? null
    this.planned = [...this.planned, section]
    this.created = null
  }

  remove(section: PlannedSection): void {
    this.planned = this.planned.filter((other) => other !== section)
    this.problem = null
  }

  /** What a price category of this name costs already, in minor units. */
  knownPrice(tier: string): number | null {
    const name = tier.trim()
    return this.map.value?.tiers.find((one) => one.name === name)?.price.amount ?? null
  }

  /** Makes all planned sections, or none; true when they are made. */
  async create(): Promise<boolean> {
    if (this.busy || this.planned.length === 0) return false
    this.busy = true
    const body: CreateSeatsBody = { sections: this.planned.map((section) => this.#bodyOf(section)) }
    const of = JSON.stringify(body)
    if (this.#intent.of !== of) this.#intent = { key: newKey(), of }
    const answer = await createSeats(this.#event.id, body, this.#intent.key)
    this.busy = false
    this.problem = answer.ok ? null : answer.problem
    if (!answer.ok) return false
    this.planned = []
    this.created = answer.data.created
    await this.map.load()
    return true
  }

  #bodyOf(section: PlannedSection): CreateSeatsBody['sections'][number] {
    const tier = { name: section.tier.trim(), price: this.#priceOf(section) }
    const name = section.name.trim()
    if (section.kind === 'general') return { name, tier, capacity: section.capacity ?? 0 }
    const { rows, seatsPerRow, rowLabels, numbering, shape } = section
    return { name, tier, rows: rows ?? 0, seatsPerRow: seatsPerRow ?? 0, rowLabels, numbering, shape }
  }

  #priceOf(section: PlannedSection): number {
    const typed = Math.round((section.price ?? 0) * 10 ** minorDigits(this.#event.currency))
    return this.knownPrice(section.tier) ?? typed
  }

  #preview(): MapView | null {
    const drawable = this.planned.filter(({ seats }) => Number.isInteger(seats) && seats > 0)
    if (this.total === 0 || this.total > LIMITS.seatsPerEvent) return null
    if (
      drawable.some(
        ({ rows, seatsPerRow }) =>
          (rows ?? 0) > LIMITS.rowsPerSection || (seatsPerRow ?? 0) > LIMITS.seatsPerRow,
      )
    )
      return null
    const house = this.map.value
      ? houseOf(this.map.value, this.#event.currency)
      : emptyHouse(this.#event.currency)
    for (const section of drawable) this.#addTo(house, section)
    return layOut(house)
  }

  #addTo(house: HouseView, section: PlannedSection): void {
    const tierName = section.tier.trim()
    let tier = house.tiers.find(({ name }) => name === tierName)
    if (!tier)
      house.tiers.push((tier = { id: house.tiers.length, name: tierName, price: this.#priceOf(section) }))
    const { kind, name, seats, rows, seatsPerRow, rowLabels, numbering, shape } = section
    house.sections.push({
      id: house.sections.length,
      name,
      kind,
      tierId: tier.id,
      firstN: house.seatCount,
      seatCount: seats,
      layout:
        kind === 'general'
          ? null
          : { rows: rows ?? 0, seatsPerRow: seatsPerRow ?? 0, rowLabels, numbering, shape },
    })
    house.seatCount += seats
  }
}

const emptyHouse = (currency: string): HouseView => ({
  mapVersion: 0,
  seatCount: 0,
  currency,
  tiers: [],
  sections: [],
})

/** What a map was made from, so that it can be laid out anew with more. */
function houseOf(map: MapView, currency: string): HouseView {
  return {
    mapVersion: map.mapVersion,
    seatCount: map.total,
    currency,
    tiers: map.tiers.map(({ name, price }, id) => ({ id, name, price: price.amount })),
    access: map.access,
    sections: map.sections.map(({ id, name, kind, tier, first, seats, rows, numbering }) => ({
      id,
      name,
      kind,
      tierId: tier,
      firstN: first,
      seatCount: seats,
      layout:
        kind === 'general'
          ? null
          : {
              rows: rows.length,
              seatsPerRow: rows[0]?.count ?? 0,
              rowLabels: rows.map(({ label }) => label),
              numbering: numbering ?? 'left-to-right',
              shape: rows[0]?.arc ? 'arc' : 'straight',
            },
    })),
  }
}
