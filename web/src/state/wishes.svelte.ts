// Owns what a buyer would like to find, said while they wait and taken up where seats are chosen: this tab remembers it.
import { SvelteMap } from 'svelte/reactivity'

export interface Wishes {
  /** Seats wanted; null while nothing was said. */
  quantity: number | null
  /** Names of price tiers that will do; none = any. */
  tiers: string[]
  /** Name of the section liked best; null = any. */
  section: string | null
}

const NONE: Wishes = { quantity: null, tiers: [], section: null }
const QUANTITY_MAX = 100
const NAMES_MAX = 500
const keyOf = (eventId: string) => `onsale:wishes:${eventId}`

const known = new SvelteMap<string, Wishes>()

/** What was wished for at this event; whatever reads it in a template is drawn again when it changes. */
export const wishesOf = (eventId: string): Wishes => known.get(eventId) ?? read(eventId)

/** Changes what is given and keeps the rest. */
export function wish(eventId: string, changes: Partial<Wishes>): void {
  const wishes = { ...wishesOf(eventId), ...changes }
  known.set(eventId, wishes)
  try {
    sessionStorage.setItem(keyOf(eventId), JSON.stringify(wishes))
  } catch {
    // A browser that keeps nothing keeps it as long as the page lives.
  }
}

function read(eventId: string): Wishes {
  try {
    return tidy(JSON.parse(sessionStorage.getItem(keyOf(eventId)) ?? '{}'))
  } catch {
    return NONE
  }
}

/** Whatever else stands in the store, what comes out is wishes. */
function tidy(kept: unknown): Wishes {
  const { quantity, tiers, section } = (kept ?? {}) as Record<string, unknown>
  const count = Number.isInteger(quantity) ? Number(quantity) : 0
  return {
    quantity: count >= 1 && count <= QUANTITY_MAX ? count : null,
    tiers: Array.isArray(tiers)
      ? tiers.filter((name): name is string => typeof name === 'string').slice(0, NAMES_MAX)
      : [],
    section: typeof section === 'string' ? section : null,
  }
}
