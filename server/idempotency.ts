// Decides what a repeated request gets: the first one's stored answer, a "still running", or a "this key is another's".
//
// Postgres keeps the answers and decides; the mark in Redis only keeps two requests with one key from being worked on
// at once. Without Redis both may run, and the unique row lets one of them stand.
import { findAnswer, storeAnswer, type StagedAnswer } from '../db/idempotency.ts'
import type { Context } from './context.ts'
import { errorAnswer, Refusal } from './errors.ts'
import { idempotencyMarkKey } from './keys.ts'
import endRequest from './lua/end-request.lua' with { type: 'text' }
import { LIMITS } from './protocol/codes.ts'
import type { ErrorAnswer, Success } from './protocol/http.ts'
import { requestIdOf } from './request-id.ts'
import { tryRedis } from './try-redis.ts'

const KEY = new RegExp(`^[\\x20-\\x7e]{1,${LIMITS.idempotencyKeyLength}}$`)
/** Longer than any request takes; a server that dies meanwhile blocks its key no longer than this. */
const MARK_SECONDS = 12
/** A decline is an answer of the provider, and asking again could charge; every other refusal may be tried again. */
const STORED_REFUSALS = new Set(['payment_declined'])

/** One request with a key: what a move needs to keep its answer in its own transaction. */
export class Once {
  /** True once a move has taken the answer into its transaction. */
  staged = false

  constructor(
    readonly accountId: string,
    readonly key: string,
    /** SHA-256 of method, path and body. */
    readonly requestHash: Uint8Array,
  ) {}

  /** `render` makes the answer from what the move brought about. */
  stage<T>(render: (outcome: T) => Success<unknown>): StagedAnswer<T> {
    const { key, requestHash } = this
    const answer = (outcome: T) => {
      this.staged = true
      const response = render(outcome)
      return { statusCode: response.statusCode, response }
    }
    return { key, requestHash, answer }
  }
}

/** The part of Elysia's handler context that an idempotent route hands over. */
export interface Exchange {
  request: Request
  body: unknown
  set: { status?: number | string; headers: Record<string, unknown> }
  identity: { accountId: string }
}

export type Answer = Success<unknown> | ErrorAnswer
type Work = (once: Once | undefined) => Promise<Success<unknown>>
type Needs = Pick<Context, 'ledger' | 'redis'>

/**
 * Runs `work` unless the request's Idempotency-Key has an answer already; sets the HTTP status either way. `work` may
 * store its success itself, in its own transaction. Only successes and declines are stored.
 */
export async function answerOnce(context: Needs, exchange: Exchange, work: Work): Promise<Answer> {
  const key = exchange.request.headers.get('idempotency-key')
  if (key === null) return send(exchange, await work(undefined))
  if (!KEY.test(key))
    throw new Refusal('request_invalid', {
      message: `Idempotency-Key must have 1 to ${LIMITS.idempotencyKeyLength} printable characters.`,
    })
  const once = new Once(exchange.identity.accountId, key, hashRequest(exchange))
  const mark = await takeMark(context, once)
  try {
    // Looked up after the mark is taken: whoever held it before has stored its answer before letting go.
    const stored = await findStored(context, once)
    if (stored) return replay(exchange, stored)
    if (mark.state === 'another') throw new Refusal('idempotency_key_reused')
    if (mark.state === 'running') throw new Refusal('idempotency_in_progress')
    return await workAndStore(context, exchange, once, work)
  } finally {
    if (mark.state === 'ours')
      await tryRedis(context.redis, (redis) =>
        redis.eval(endRequest, 1, idempotencyMarkKey(once.accountId, key), mark.text),
      )
  }
}

async function workAndStore(context: Needs, exchange: Exchange, once: Once, work: Work): Promise<Answer> {
  const answer = await attempt(exchange, () => work(once)).catch(async (fault: unknown) => {
    // With Redis away a twin of this request may have been quicker; its answer undid this one's move.
    const isTwin = fault instanceof Refusal && fault.code === 'idempotency_in_progress'
    const stored = isTwin ? await findStored(context, once) : null
    if (!stored) throw fault
    return stored
  })
  if (!once.staged) {
    const { accountId, key, requestHash } = once
    const row = { accountId, key, requestHash, statusCode: answer.statusCode, response: answer }
    const isFirst = await storeAnswer(context.ledger.db, row)
    if (!isFirst) return send(exchange, (await findStored(context, once)) ?? answer)
  }
  return send(exchange, answer)
}

/** A decline comes back as an answer, so that it can be stored; other refusals are thrown on. */
async function attempt(exchange: Exchange, work: () => Promise<Success<unknown>>): Promise<Answer> {
  try {
    return await work()
  } catch (fault) {
    if (!(fault instanceof Refusal) || !STORED_REFUSALS.has(fault.code)) throw fault
    const path = new URL(exchange.request.url).pathname
    return errorAnswer(fault, { path, requestId: requestIdOf(exchange.set) })
  }
}

async function findStored(context: Needs, once: Once): Promise<Answer | null> {
  const stored = await findAnswer(context.ledger.db, once)
  if (!stored) return null
  if (Buffer.compare(stored.requestHash, once.requestHash) !== 0) throw new Refusal('idempotency_key_reused')
  return stored.response as Answer
}

function replay(exchange: Exchange, answer: Answer): Answer {
  exchange.set.headers['idempotency-replayed'] = 'true'
  return send(exchange, answer)
}

function send(exchange: Exchange, answer: Answer): Answer {
  exchange.set.status = answer.statusCode
  return answer
}

type Mark = { state: 'ours'; text: string } | { state: 'running' | 'another' | 'unknown' }

async function takeMark({ redis }: Needs, once: Once): Promise<Mark> {
  const hash = Buffer.from(once.requestHash).toString('base64url')
  const text = `${hash} ${Bun.randomUUIDv7()}`
  const key = idempotencyMarkKey(once.accountId, once.key)
  const set = await tryRedis(redis, (client) => client.set(key, text, 'EX', MARK_SECONDS, 'NX'))
  if (set === undefined) return { state: 'unknown' }
  if (set === 'OK') return { state: 'ours', text }
  const theirs = await tryRedis(redis, (client) => client.get(key))
  return { state: theirs && !theirs.startsWith(`${hash} `) ? 'another' : 'running' }
}

function hashRequest({ request, body }: Exchange): Uint8Array {
  const { pathname } = new URL(request.url)
  return new Bun.CryptoHasher('sha256').update(`${request.method}\n${pathname}\n${canonical(body)}`).digest()
}

/** The same fields in another order are the same request. */
function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_name, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
