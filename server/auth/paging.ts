// Owns how a short list that is read whole is still answered page by page.
import { LIMITS } from '../protocol/codes.ts'
import type { Page } from '../protocol/http.ts'

/** One page of `all`, after the item whose id the cursor names; an unknown cursor begins again. */
export function pageOf<T extends { id: string }>(
  all: T[],
  { limit = LIMITS.pageMax, cursor }: { limit?: number; cursor?: string },
): Page<T> {
  const start = cursor === undefined ? 0 : all.findIndex(({ id }) => id === cursor) + 1
  const items = all.slice(start, start + limit)
  const more = start + items.length < all.length
  return { items, nextCursor: more ? (items.at(-1)?.id ?? null) : null }
}
