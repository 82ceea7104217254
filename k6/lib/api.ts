// Owns how a scenario speaks HTTP: to one address, each request under a name, asked again where the window asks again, and
// every answer nobody should get counted.
import exec from 'k6/execution'
import http from 'k6/http'
import { pause } from './pause.ts'
import { tally } from './tally.ts'

export const ADDRESS = (__ENV.URL ?? 'http://localhost:3000').replace(/\/+$/, '')
const API = `${ADDRESS}/api/v1`
const REQUEST_LIMIT = '30s'
const REQUESTS_TOLD = 3
/** The window asks three times by itself; whoever then presses again sends the same key, and so gets as many more. */
const TRIES_MAX = 6
const FIRST_PAUSE_MS = 400
const LONGEST_PAUSE_MS = 8_000
/** Said with a Retry-After: it passes, and the same request is in order again. */
const PASSING = new Set(['overloaded', 'store_unavailable', 'idempotency_in_progress'])
/** No answer of Onsale's: nobody listens, or whoever did was killed on the way. */
const UNANSWERED = 'unreachable'

/** Whatever a scenario did not say it can live with. Its threshold is 0. */
const unexpected = tally('unexpected_answers')
/** Asked again with the same key, because the answer said so, or because there was none. */
const retriesTold = tally('retries_told')
const retriesUnanswered = tally('retries_unanswered')
/** All users come from one address here: with the limits on, a server takes them for one. */
const limited = tally('rate_limited_answers')

export interface Ask {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  /** Under which it is measured: `http_req_duration{name:…}`. */
  name: string
  token?: string | undefined
  pass?: string | undefined
  body?: unknown
  key?: string
  /** Beside what is 2xx; anything else is unexpected. */
  accept?: number[]
}

interface Reply<T> {
  status: number
  said: string
  /** As in Answer, but `unreachable` when nobody answered. */
  code: string
  data: T | undefined
  /** Undefined when nothing was said. */
  retryAfterMs: number | undefined
}

export interface Answer<T> {
  ok: boolean
  status: number
  /** '' when all went well or nobody answered. */
  code: string
  data: T
}

/** Of one intention of a user: unique in a run, so that a repeated request is seen as one. */
export const newKey = (what: string) =>
  `${what}-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`

/** Never throws; `data` is what it says only when `ok`. What is safe to repeat is, while the answer says that it passes. */
export async function ask<T>(request: Ask): Promise<Answer<T>> {
  const { method, key } = request
  const tries = method === 'GET' || key !== undefined ? TRIES_MAX : 1
  for (let tried = 1; ; tried += 1) {
    const reply = await askOnce<T>(request)
    if (tried >= tries || !isPassing(reply)) return judge(request, reply)
    const tags = { name: request.name, code: reply.code }
    if (reply.code === UNANSWERED) retriesUnanswered.add(1, tags)
    else retriesTold.add(1, tags)
    const own = FIRST_PAUSE_MS * 2 ** (tried - 1) * (0.7 + Math.random() * 0.6)
    await pause(Math.min(Math.max(own, reply.retryAfterMs ?? 0), LONGEST_PAUSE_MS))
  }
}

const isPassing = ({ code, retryAfterMs }: Reply<unknown>) =>
  code === UNANSWERED || (PASSING.has(code) && retryAfterMs !== undefined)

async function askOnce<T>(request: Ask): Promise<Reply<T>> {
  const { method, path, body } = request
  const text = body === undefined ? null : JSON.stringify(body)
  const response = await http.asyncRequest(method, `${API}${path}`, text, paramsOf(request))
  const said = String(response.body ?? '')
  const answer = parse<T>(said)
  const wait = Number(response.headers['Retry-After'] ?? Number.NaN)
  return {
    status: response.status,
    said,
    code: answer === null ? UNANSWERED : (answer.code ?? ''),
    data: answer?.data,
    retryAfterMs: Number.isFinite(wait) ? wait * 1_000 : undefined,
  }
}

/** Null for what is no answer of Onsale's: nothing, half of one, a proxy's own page. */
function parse<T>(said: string): { data?: T; code?: string } | null {
  try {
    const answer: unknown = JSON.parse(said)
    return answer !== null && typeof answer === 'object' ? answer : null
  } catch {
    return null
  }
}

/** The same at once, for what a scenario prepares: anything but 2xx ends the run with its words. */
export function prepare<T>(request: Omit<Ask, 'name'>): T {
  const { method, path, body } = request
  const text = body === undefined ? null : JSON.stringify(body)
  const answer = http.request(method, `${API}${path}`, text, paramsOf({ ...request, name: 'prepare' }))
  if (answer.status < 200 || answer.status >= 300)
    exec.test.abort(`${method} ${path} answered ${answer.status}: ${String(answer.body)}`)
  return (JSON.parse(String(answer.body)) as { data: T }).data
}

function paramsOf({ token, pass, key, name, body }: Ask) {
  return {
    timeout: REQUEST_LIMIT,
    tags: { name },
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(pass === undefined ? {} : { 'x-admission-pass': pass }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
  }
}

let told = 0

function judge<T>({ name, accept = [] }: Ask, { status, said, code, data }: Reply<T>): Answer<T> {
  const answered = code !== UNANSWERED
  if (status >= 200 && status < 300 && answered) return { ok: true, status, code: '', data: data as T }
  if (status === 429) limited.add(1)
  if (!accept.includes(status)) {
    unexpected.add(1, { name, status: String(status) })
    told += 1
    if (told <= REQUESTS_TOLD) console.warn(`${name} answered ${status}: ${said.slice(0, 300)}`)
  }
  return { ok: false, status, code: answered ? code : '', data: undefined as T }
}
