// Decides how lists by a growing number are answered page by page.
import { Refusal } from '../errors.ts'
import { LIMITS } from '../protocol/codes.ts'
import type { Page } from '../protocol/http.ts'

const NUMBER = /^[1-9]\d{0,14}$/

/** Null when the text is no number of ours. */
export const numberOf = (text: string): number | null => (NUMBER.test(text) ? Number(text) : null)

/** One page; `list` is asked for one item more than the page has, from where the cursor points. */
export async function pageOf<T extends { id: number }, V>(
  { limit = LIMITS.pageDefault, cursor }: { limit?: number; cursor?: string },
  view: (item: T) => V,
  list: (part: { limit: number; cursor: number | undefined }) => Promise<T[]>,
): Promise<Page<V>> {
  const from = cursor === undefined ? undefined : numberOf(cursor)
  if (from === null) throw new Refusal('request_invalid', { message: 'The cursor is not one of ours.' })
  const found = await list({ limit: limit + 1, cursor: from })
  const items = found.slice(0, limit)
  return {
    items: items.map(view),
    nextCursor: found.length > limit ? String(items.at(-1)!.id) : null,
  }
}
