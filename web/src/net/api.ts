// Owns the one way to ask the server over HTTP: envelope, retries, renewal of the session, and the server's time.
import { m } from '#messages'
import type { ErrorCode } from '../../../server/protocol/codes.ts'
import type { ErrorAnswer, ErrorDetail, Success } from '../../../server/protocol/http.ts'
import { refreshSession } from './refresh.ts'
import { findPass, wasSignedIn } from './keep.ts'
import { serverClock } from './server-clock.ts'

/** What the window itself can meet beside the server's codes: no answer at all. */
export type ProblemCode = ErrorCode | 'unreachable'
export interface Problem {
  code: ProblemCode
  /** The sentence for a person. */
  text: string
  /** The server's own words, more exact for a form. */
  message: string
  fields: ErrorDetail[]
  seatIds: string[]
  retryAfterSeconds: number | null
}
export type Answer<T> = { ok: true; status: number; data: T } | { ok: false; problem: Problem }

export interface Ask {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  body?: unknown
  query?: Record<string, string | number | undefined>
  /** One intention of the person, one key: sending it twice has one effect (`newKey`). */
  key?: string
  /** Sends the admission to this event. */
  passFor?: string
  signal?: AbortSignal
}

export const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  )

const BASE = '/api/v1'
const TIMEOUT_MS = 20_000
const TRIES = 3
const FIRST_PAUSE_MS = 400
const LONGEST_PAUSE_MS = 8_000

/** Asks, never throws: a refusal, a fault and silence all come back as a `Problem`. */
export async function ask<T>(path: string, options: Ask = {}): Promise<Answer<T>> {
  const method = options.method ?? 'GET'
  // Asking again is harmless for a read, and for a write that carries its key.
  const tries = method === 'GET' || options.key !== undefined ? TRIES : 1
  let renewed = false
  for (let attempt = 1; ; attempt += 1) {
    const answer = await askOnce<T>(path, method, options)
    if (answer.ok || options.signal?.aborted) return answer
    if (!renewed && mayRenew(path, answer.problem)) {
      renewed = true
      if (await refreshSession()) continue
    }
    if (attempt >= tries || !isPassing(answer.problem)) return answer
    await pause(answer.problem, attempt)
  }
}

function mayRenew(path: string, problem: Problem): boolean {
  if (path.startsWith('/auth/login') || path.startsWith('/auth/refresh')) return false
  // An expired cookie is no longer sent at all, so the server then only sees somebody unknown.
  return problem.code === 'token_expired' || (problem.code === 'unauthenticated' && wasSignedIn())
}

const isPassing = ({ code }: Problem) =>
  code === 'unreachable' ||
  code === 'overloaded' ||
  code === 'store_unavailable' ||
  code === 'idempotency_in_progress'

function pause(problem: Problem, attempt: number): Promise<void> {
  const own = FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.7 + Math.random() * 0.6)
  const ms = Math.min(Math.max(own, (problem.retryAfterSeconds ?? 0) * 1_000), LONGEST_PAUSE_MS)
  return new Promise((resolve) => setTimeout(resolve, ms))
}

async function askOnce<T>(path: string, method: string, options: Ask): Promise<Answer<T>> {
  const sentAt = Date.now()
  try {
    const timeout = AbortSignal.timeout(TIMEOUT_MS)
    const response = await fetch(BASE + path + queryString(options.query), {
      method,
      headers: headersOf(options),
      body: options.body === undefined ? null : JSON.stringify(options.body),
      credentials: 'same-origin',
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
    })
    // An answer that may come from the browser's own store would tell an old time.
    if (response.headers.get('cache-control') === 'no-store')
      serverClock.sample(Number(response.headers.get('x-server-time') ?? Number.NaN), sentAt)
    const answer: unknown = await response.json()
    if (response.ok) return { ok: true, status: response.status, data: unwrap<T>(answer) }
    return { ok: false, problem: await problemOf(answer, response) }
  } catch {
    return { ok: false, problem: problem('unreachable', m.error_unreachable()) }
  }
}

function headersOf(options: Ask): Headers {
  const headers = new Headers({ accept: 'application/json' })
  if (options.body !== undefined) headers.set('content-type', 'application/json')
  if (options.key !== undefined) headers.set('idempotency-key', options.key)
  const pass = options.passFor === undefined ? null : findPass(options.passFor)
  if (pass) headers.set('x-admission-pass', pass.pass)
  return headers
}

function queryString(query: Ask['query']): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined) params.set(name, String(value))
  return params.size === 0 ? '' : `?${params}`
}

/** Every answer has the envelope but the embedded mailbox's, which is a bare list. */
const unwrap = <T>(answer: unknown): T =>
  answer !== null && typeof answer === 'object' && 'data' in answer
    ? (answer as Success<T>).data
    : (answer as T)

async function problemOf(answer: unknown, response: Response): Promise<Problem> {
  const told = (answer ?? {}) as Partial<ErrorAnswer>
  const wait = Number(response.headers.get('retry-after'))
  return {
    ...(await plainProblem(told.code)),
    message: told.message ?? '',
    fields: Array.isArray(told.details) ? told.details : [],
    seatIds: told.details && 'seatIds' in told.details ? told.details.seatIds : [],
    retryAfterSeconds: Number.isFinite(wait) && wait > 0 ? wait : null,
  }
}

/** The problem that a code of the server's stands for; whatever is no code broke on its side. */
export async function plainProblem(told: unknown): Promise<Problem> {
  const texts = await import('../error-text.ts').catch(() => null)
  // Sentences that cannot be had are those of somebody who is cut off.
  if (!texts) return problem('unreachable', m.error_unreachable())
  const code = texts.isErrorCode(told) ? told : 'internal'
  return problem(code, texts.ERROR_TEXT[code]())
}

const problem = (code: ProblemCode, text: string): Problem => ({
  code,
  text,
  message: '',
  fields: [],
  seatIds: [],
  retryAfterSeconds: null,
})
