// Owns a list that grows page by page.
import type { Page } from '../../../server/protocol/http.ts'
import type { Answer, Problem } from '../net/api.ts'

export class Paged<T> {
  items = $state.raw<T[]>([])
  nextCursor = $state<string | null>(null)
  problem = $state.raw<Problem | null>(null)
  loading = $state(false)
  readonly #fetch: (cursor?: string) => Promise<Answer<Page<T>>>

  constructor(fetch: (cursor?: string) => Promise<Answer<Page<T>>>) {
    this.#fetch = fetch
  }

  /** Fetches the first page, then each next one. */
  async more(): Promise<void> {
    if (this.loading) return
    this.loading = true
    const answer = await this.#fetch(this.nextCursor ?? undefined)
    this.loading = false
    this.problem = answer.ok ? null : answer.problem
    if (!answer.ok) return
    this.items = [...this.items, ...answer.data.items]
    this.nextCursor = answer.data.nextCursor
  }
}
