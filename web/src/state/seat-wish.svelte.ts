// Owns what a buyer is looking for: how many, at which prices, where, how; and which sections of the map serve it.
import type { MapView } from '../../../server/protocol/http.ts'
import type { Wishes } from './wishes.svelte.ts'

const QUANTITY_DEFAULT = 2

export class SeatWish {
  quantity = $state(QUANTITY_DEFAULT)
  /** Indexes of the price categories wanted; none means any. */
  tiers = $state.raw<ReadonlySet<number>>(new Set())
  /** The most one seat may cost, in minor units; null means any price. */
  priceMax = $state<number | null>(null)
  /** Index of the only section wanted. */
  section = $state<number | null>(null)
  /** Seats for a wheelchair and whoever comes along. */
  accessible = $state(false)
  together = $state(true)
  #map = $state.raw<MapView | null>(null)

  /** Takes up a map, and what was wished for before there was one: what it does not have is left out. */
  begin(map: MapView, most: number, wishes?: Wishes): void {
    this.#map = map
    if (wishes?.quantity) this.quantity = wishes.quantity
    this.quantity = Math.min(Math.max(1, this.quantity), Math.max(1, most))
    const names = new Set(wishes?.tiers)
    const wanted = map.tiers.flatMap(({ name }, index) => (names.has(name) ? [index] : []))
    if (wanted.length > 0) this.tiers = new Set(wanted)
    const section = wishes?.section ? map.sections.findIndex(({ name }) => name === wishes.section) : -1
    if (section >= 0) this.section = section
    if (this.section !== null && this.section >= map.sections.length) this.section = null
  }

  get narrowed(): boolean {
    return this.tiers.size > 0 || this.priceMax !== null || this.section !== null
  }

  toggleTier(tier: number): void {
    const tiers = new Set(this.tiers)
    if (!tiers.delete(tier)) tiers.add(tier)
    this.tiers = tiers
  }

  widen(): void {
    this.tiers = new Set()
    this.priceMax = null
    this.section = null
  }

  mayBeTier(tier: number): boolean {
    const price = this.#map?.tiers[tier]?.price.amount ?? 0
    return (
      (this.tiers.size === 0 || this.tiers.has(tier)) && (this.priceMax === null || price <= this.priceMax)
    )
  }

  mayBeSection(index: number): boolean {
    const tier = this.#map?.sections[index]?.tier
    return tier !== undefined && (this.section === null || this.section === index) && this.mayBeTier(tier)
  }

  /** Indexes of the price categories that serve. */
  get servingTiers(): number[] {
    return (this.#map?.tiers ?? []).flatMap((_, index) => (this.mayBeTier(index) ? [index] : []))
  }
}
