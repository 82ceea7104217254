// Owns the life of one thing fetched from the server: loading, there, or a problem; the newest question wins.
import type { Answer, Problem } from '../net/api.ts'

export class Resource<T> {
  value = $state.raw<T | null>(null)
  problem = $state.raw<Problem | null>(null)
  loading = $state(false)
  readonly #fetch: () => Promise<Answer<T>>
  #asked = 0

  constructor(fetch: () => Promise<Answer<T>>) {
    this.#fetch = fetch
  }

  /** Loads, or loads again; what was there stays visible meanwhile and when it fails. */
  async load(): Promise<T | null> {
    this.#asked += 1
    const mine = this.#asked
    this.loading = true
    const answer = await this.#fetch()
    if (mine !== this.#asked) return this.value
    this.loading = false
    if (answer.ok) this.value = answer.data
    this.problem = answer.ok ? null : answer.problem
    return answer.ok ? answer.data : null
  }
}
