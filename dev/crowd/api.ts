/** Owns how a synthetic buyer speaks HTTP: patient with a server that restarts, and never buying twice by it. */
import type { ErrorAnswer, Success } from '../../server/protocol/http.ts'

const REQUEST_MS = 15_000
const FIRST_PAUSE_MS = 150
const LONGEST_PAUSE_MS = 3_000
/** Answers after which the same request, with the same key, is sent again. */
const WORTH_REPEATING = new Set(['rate_limited', 'overloaded', 'store_unavailable', 'internal'])

export type Answer<T> = { ok: true; data: T } | { ok: false; code: string; seatIds: string[] }

export interface Call {
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  body?: unknown
  pass?: string | undefined
  /** Makes a repeated POST have one effect. */
  key?: string
}

export interface ApiEvents {
  /** Every refusal, also of an attempt that is repeated. */
  refused(code: string): void
}

/** `deadline` in ms since the epoch; after it the last refusal, or `unreachable`, is the answer. */
export class Api {
  readonly #base: string
  readonly #token: string | undefined
  readonly #deadline: number
  readonly #events: ApiEvents

  constructor(base: string, token: string | undefined, deadline: number, events: ApiEvents) {
    this.#base = `${base}/api/v1`
    this.#token = token
    this.#deadline = deadline
    this.#events = events
  }

  async call<T>(call: Call): Promise<Answer<T>> {
    for (let tried = 0; ; tried += 1) {
      const { answer, pauseMs } = await this.#once<T>(call)
      if (!answer.ok) this.#events.refused(answer.code)
      const again = !answer.ok && (WORTH_REPEATING.has(answer.code) || isUnsettled(answer.code))
      const backoffMs = Math.min(FIRST_PAUSE_MS * 2 ** tried, LONGEST_PAUSE_MS) * (0.5 + Math.random())
      const waitMs = Math.max(pauseMs, backoffMs)
      if (!again || Date.now() + waitMs > this.#deadline) return answer
      await Bun.sleep(waitMs)
    }
  }

  async #once<T>({ method, path, body, pass, key }: Call): Promise<{ answer: Answer<T>; pauseMs: number }> {
    const headers = new Headers({ 'x-client': 'api' })
    if (this.#token !== undefined) headers.set('authorization', `Bearer ${this.#token}`)
    if (body !== undefined) headers.set('content-type', 'application/json')
    if (pass !== undefined) headers.set('x-admission-pass', pass)
    if (key !== undefined) headers.set('idempotency-key', key)
    try {
      const response = await fetch(this.#base + path, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_MS),
      })
      const said = (await response.json()) as Success<T> | ErrorAnswer
      if (!('code' in said)) return { answer: { ok: true, data: said.data }, pauseMs: 0 }
      const seatIds = said.details && 'seatIds' in said.details ? said.details.seatIds : []
      const pauseMs = Number(response.headers.get('retry-after') ?? 0) * 1_000
      return { answer: { ok: false, code: said.code, seatIds }, pauseMs }
    } catch {
      return { answer: { ok: false, code: 'unreachable', seatIds: [] }, pauseMs: 0 }
    }
  }
}

/** The request may have had its effect: only asking again, with its key, tells. */
function isUnsettled(code: string): boolean {
  return code === 'unreachable' || code === 'idempotency_in_progress'
}
