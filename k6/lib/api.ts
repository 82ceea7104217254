// Owns how a scenario speaks HTTP: to one address, each request under a name, and every answer nobody should get counted.
import exec from 'k6/execution'
import http from 'k6/http'
import { tally } from './tally.ts'

export const ADDRESS = (__ENV.URL ?? 'http://localhost:3000').replace(/\/+$/, '')
const API = `${ADDRESS}/api/v1`
const REQUEST_LIMIT = '30s'
const REQUESTS_TOLD = 3

/** Whatever a scenario did not say it can live with. Its threshold is 0. */
const unexpected = tally('unexpected_answers')
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

export interface Answer<T> {
  ok: boolean
  status: number
  /** '' when all went well or nobody answered. */
  code: string
  data: T
}

/** Never throws; `data` is what it says only when `ok`. */
export async function ask<T>(request: Ask): Promise<Answer<T>> {
  const { method, path, body } = request
  const text = body === undefined ? null : JSON.stringify(body)
  const { status, body: said } = await http.asyncRequest(method, `${API}${path}`, text, paramsOf(request))
  return judge<T>(request, status, String(said ?? ''))
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

function judge<T>({ name, accept = [] }: Ask, status: number, said: string): Answer<T> {
  const ok = status >= 200 && status < 300
  const answer = said.startsWith('{') ? (JSON.parse(said) as { data: T; code?: string }) : null
  if (ok && answer) return { ok, status, code: '', data: answer.data }
  if (status === 429) limited.add(1)
  if (!accept.includes(status)) {
    unexpected.add(1, { name, status: String(status) })
    told += 1
    if (told <= REQUESTS_TOLD) console.warn(`${name} answered ${status}: ${said.slice(0, 300)}`)
  }
  return { ok: false, status, code: answer?.code ?? '', data: undefined as T }
}
