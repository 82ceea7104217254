// Owns a hall being built: the section at hand as typed and kept, the hall as it would be with it, and saving it.
import type { EventView, MapSection, MapView, SectionBody } from '../../../server/protocol/http.ts'
import { LIMITS } from '../../../server/protocol/codes.ts'
import { layOut } from '../../../server/protocol/map-layout/lay-out.ts'
import { minorDigits } from '../currency.ts'
import { newKey, type Answer, type Problem } from '../net/api.ts'
import { getMap } from '../net/calls.ts'
import { findDraft, keepDraft } from '../net/keep.ts'
import { changeSection, changeTier, createSeats, removeSection } from '../net/organiser-calls.ts'
import { m } from '#messages'
import { bodyOf, emptySection, isDrawable, typedOf } from '../section-draft.ts'
import { seatsOf, sectionProblems, type SectionField, type TypedSection } from '../section-rules.ts'
import { houseOf } from './house-preview.ts'
import { Resource } from './resource.svelte.ts'
import { session } from './session.svelte.ts'

/** The fields of a request's section, as the form calls them. */
const FIELD_OF: Record<string, SectionField> = {
  name: 'name',
  'tier/name': 'tier',
  'tier/price': 'price',
  rows: 'rows',
  seatsPerRow: 'seatsPerRow',
  rowLabels: 'ownRows',
  capacity: 'capacity',
}
export const SECTION_FIELDS = [...new Set(Object.values(FIELD_OF))]

export class HallPlan {
  /** The section at hand; null when none is. */
  typed = $state<TypedSection | null>(null)
  /** Its name as saved, when it exists already. */
  changing = $state<string | null>(null)
  busy = $state(false)
  problem = $state.raw<Problem | null>(null)
  /** What the last press did, to be read and heard. */
  said = $state('')
  readonly map
  readonly digits: number
  readonly #event: EventView
  #checked = $state.raw<Partial<Record<SectionField, string>>>({})
  #intent = { key: newKey(), of: '' }

  readonly preview: MapView | null = $derived.by(() => this.#preview())

  constructor(event: EventView) {
    this.#event = event
    this.digits = minorDigits(event.currency)
    this.map = new Resource(() => getMap(event.id))
    void this.map.load()
    this.#restore()
  }

  get sections(): MapSection[] {
    return this.map.value?.sections ?? []
  }

  /** Seats of the whole hall with the section at hand as typed. */
  get total(): number {
    return this.#others.reduce((sum, { seats }) => sum + seats, this.typed ? seatsOf(this.typed) : 0)
  }

  get #others(): MapSection[] {
    return this.sections.filter(({ name }) => name !== this.changing)
  }

  /** What the category costs, in minor units, because other sections are sold at it; null when the price is to be typed. */
  get knownPrice(): number | null {
    const name = this.typed?.tier.trim()
    const at = this.map.value?.tiers.findIndex((tier) => tier.name === name) ?? -1
    // A tier of its own may be repriced; once published none is.
    if (at < 0 || (this.#event.status === 'DRAFT' && !this.#others.some(({ tier }) => tier === at)))
      return null
    return this.map.value?.tiers[at]?.price.amount ?? null
  }

  /** Begins a new section behind the others. */
  add(kind: TypedSection['kind']): void {
    const last = this.sections.at(-1)
    const fresh = emptySection(kind)
    const tier = last && this.map.value?.tiers[last.tier]
    this.#take(tier ? { ...fresh, tier: tier.name } : fresh, null)
  }

  change(section: MapSection): void {
    this.#take(typedOf(section, this.map.value, this.digits), section.name)
  }

  copy(section: MapSection): void {
    this.#take(
      { ...typedOf(section, this.map.value, this.digits), name: m.hall_copy_name({ name: section.name }) },
      null,
    )
  }

  /** Puts the section at hand away without saving it. */
  leave(): void {
    this.#take(null, null)
  }

  /** Called after every change of the section at hand. */
  changed(): void {
    this.#keep()
    this.problem = null
    this.said = ''
    if (Object.keys(this.#checked).length > 0) this.#check()
  }

  error(field: SectionField): string | undefined {
    if (this.#checked[field]) return this.#checked[field]
    const said = this.problem?.fields.some(({ path }) => fieldOf(path) === field)
    return said ? m.draft_wrong_other() : undefined
  }

  /** Saves the section at hand; true when it is saved. */
  async save(): Promise<boolean> {
    const { typed, changing } = this
    if (!typed || this.busy || !this.#check()) return false
    const body = this.#bodyOf(typed)
    const said = changing === null ? made(body.name, seatsOf(typed)) : m.hall_saved({ name: body.name })
    const ok = await this.#ask(
      () => (changing === null ? this.#create(body) : changeSection(this.#event.id, changing, body)),
      said,
    )
    if (ok) this.#take(null, null, said)
    return ok
  }

  remove(section: string): Promise<boolean> {
    return this.#ask(() => removeSection(this.#event.id, section), m.hall_removed({ name: section }))
  }

  /** @param price in the currency's major unit */
  reprice(tier: string, price: number, said: string): Promise<boolean> {
    return this.#ask(() => changeTier(this.#event.id, tier, { price: this.#minor(price) }), said)
  }

  async #ask(ask: () => Promise<Answer<unknown>>, said: string): Promise<boolean> {
    if (this.busy) return false
    this.busy = true
    const answer = await ask()
    // Also after a refusal: a large hall may have been changed though its answer came too late.
    await this.map.load()
    this.busy = false
    this.problem = answer.ok ? null : answer.problem
    this.said = answer.ok ? said : ''
    return answer.ok
  }

  #create(section: SectionBody): Promise<Answer<unknown>> {
    const of = JSON.stringify(section)
    if (this.#intent.of !== of) this.#intent = { key: newKey(), of }
    return createSeats(this.#event.id, { sections: [section] }, this.#intent.key)
  }

  #check(): boolean {
    if (!this.typed) return false
    const others = this.#others
    this.#checked = sectionProblems(this.typed, {
      names: new Set(others.map(({ name }) => name)),
      seats: others.reduce((sum, { seats }) => sum + seats, 0),
      digits: this.digits,
      priced: this.knownPrice !== null,
    })
    return Object.keys(this.#checked).length === 0
  }

  #minor = (price: number) => Math.round(price * 10 ** this.digits)

  #bodyOf(typed: TypedSection): SectionBody {
    return bodyOf(typed, this.knownPrice ?? this.#minor(typed.price ?? 0))
  }

  #take(typed: TypedSection | null, changing: string | null, said = ''): void {
    this.typed = typed
    this.changing = changing
    this.#checked = {}
    this.problem = null
    this.said = said
    this.#keep()
  }

  #keep(): void {
    const kept = this.typed && { typed: this.typed, changing: this.changing }
    keepDraft(session.user?.id ?? '', `${this.#event.id}:section`, kept)
  }

  #restore(): void {
    const kept = findDraft(session.user?.id ?? '', `${this.#event.id}:section`) as Partial<
      Pick<HallPlan, 'typed' | 'changing'>
    > | null
    if (!kept?.typed || typeof kept.typed !== 'object') return
    const { changing = null } = kept
    // What may not be changed any more is not offered again.
    const mayChange =
      this.#event.status === 'DRAFT' && this.#event.sections.some(({ name }) => name === changing)
    if (changing !== null && !mayChange) return
    this.typed = { ...emptySection('seated'), ...kept.typed }
    this.changing = changing
  }

  #preview(): MapView | null {
    const { typed, total } = this
    if (total === 0 || total > LIMITS.seatsPerEvent) return null
    const house = houseOf(this.map.value, this.#event.currency)
    if (typed && this.isDrawable)
      house.put({ ...this.#bodyOf(typed), name: typed.name.trim() || m.hall_nameless() }, this.changing)
    return house.view.sections.length > 0 ? layOut(house.view) : null
  }

  /** Can what is typed be drawn? What is not complete yet is left out of the hall. */
  get isDrawable(): boolean {
    return this.typed === null || isDrawable(this.typed)
  }
}

const made = (name: string, count: number) => m.hall_made({ name, count, shown: String(count) })

/** "/sections/0/tier/price" and "/tier/price" are both the price. */
const fieldOf = (path: string): SectionField | undefined =>
  FIELD_OF[path.replace(/^\/(sections\/\d+\/?)?/, '')]
