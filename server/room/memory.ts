// Owns what one server remembers of a line, beside Redis: how far it had come, and every live pass. After a lost Redis
// it is the witness of what was given out.
import type { ScriptAnswer } from './scripts.ts'

/** Admissions count against the rate for so long; and a server that stood still may take a pass for live for so long. */
const WINDOW_MS = 60_000
/** Fields before the passes in attend.lua's answer, and fields a pass. */
const ATTENDED_FIELDS = 7
const PASS_FIELDS = 3

interface Pass {
  number: number
  /** ms; at most a second late. */
  issuedAt: number
  /** ms. */
  endsAt: number
}

interface Over extends Pass {
  accountId: string
  /** ms; when this server heard of it. */
  overAt: number
}

/** What attend.lua tells of a pass. */
export interface ToldPass {
  accountId: string
  number: number
  endsAt: number
}

export class LineMemory {
  /** 0 = knows nothing yet. */
  epoch = 0
  arrivals = 0
  serving = 0
  /** Passes issued in this epoch. */
  admitted = 0
  /** Ends of passes up to here have been read. */
  latestEnd = 0
  /** Has read every live pass at least once, and all issued since. */
  complete = false
  #passes = new Map<string, Pass>()
  /** Passes that are over: the rate counts them, and nobody else is to take them for live. */
  #over = new Map<string, Over>()

  get livePasses(): number {
    return this.#passes.size
  }

  /** Somebody was given `number`. */
  numbered(epoch: number, number: number): void {
    if (epoch === this.epoch) this.arrivals = Math.max(this.arrivals, number + 1)
  }

  issued(accountId: string, pass: Pass & { epoch: number }): void {
    const { epoch, ...kept } = pass
    if (epoch === this.epoch) this.#keep(accountId, kept)
  }

  /** The place or pass of an account is over since `now`. */
  over(accountId: string, now: number): void {
    const pass = this.#passes.get(accountId)
    if (!pass) return
    this.#passes.delete(accountId)
    this.#over.set(keyOf(accountId, pass), { accountId, ...pass, overAt: now })
  }

  /** What attend.lua answered at `now`. Answers the passes it told, and how many are live. */
  attended(answer: ScriptAnswer, now: number): { told: ToldPass[]; live: number } {
    const [, , epoch, arrivals, serving, admitted, live] = answer.map(Number) as number[]
    if (epoch !== this.epoch) this.#forget(epoch!)
    this.arrivals = Math.max(this.arrivals, arrivals!)
    this.serving = Math.max(this.serving, serving!)
    this.admitted = Math.max(this.admitted, admitted!)
    const told: ToldPass[] = []
    for (let at = ATTENDED_FIELDS; at < answer.length; at += PASS_FIELDS) {
      const pass = {
        accountId: answer[at]!,
        number: Number(answer[at + 1]),
        endsAt: Number(answer[at + 2]),
      }
      told.push(pass)
      this.#keep(pass.accountId, { number: pass.number, issuedAt: now, endsAt: pass.endsAt })
      this.latestEnd = Math.max(this.latestEnd, pass.endsAt)
    }
    this.#prune(now)
    return { told, live: live! }
  }

  /** All live passes were told, beginning at `since`: what was thought otherwise before is put right. */
  whole(told: readonly ToldPass[], since: number, now: number): void {
    const live = new Set(told.map(({ accountId }) => accountId))
    for (const [accountId, { issuedAt }] of this.#passes)
      if (!live.has(accountId) && issuedAt < since) this.over(accountId, now)
    for (const { accountId, ...pass } of told) {
      const over = this.#over.get(keyOf(accountId, pass))
      if (!over || over.overAt >= since) continue
      this.#over.delete(keyOf(accountId, pass))
      this.#keep(accountId, { ...pass, issuedAt: over.issuedAt })
    }
    this.complete = true
  }

  /** As return-passes.lua takes them: account, number, issued, end, 'over' or 'live'; what is over comes first. */
  toReturn(now: number): (string | number)[][] {
    this.#prune(now)
    const over = [...this.#over.values()].map(({ accountId, number, issuedAt, endsAt }) => [
      accountId,
      number,
      issuedAt,
      endsAt,
      'over',
    ])
    const live = [...this.#passes].map(([accountId, { number, issuedAt, endsAt }]) => [
      accountId,
      number,
      issuedAt,
      endsAt,
      'live',
    ])
    return [...over, ...live]
  }

  #keep(accountId: string, pass: Pass): void {
    const known = this.#passes.get(accountId)
    // An answer may come after the news that the pass it tells of was given up.
    if (known?.endsAt === pass.endsAt || this.#over.has(keyOf(accountId, pass))) return
    this.over(accountId, pass.issuedAt)
    this.#passes.set(accountId, pass)
  }

  #prune(now: number): void {
    for (const [accountId, { endsAt }] of this.#passes) if (endsAt <= now) this.over(accountId, now)
    for (const [key, { overAt }] of this.#over) if (overAt <= now - WINDOW_MS) this.#over.delete(key)
  }

  #forget(epoch: number): void {
    this.epoch = epoch
    this.arrivals = this.serving = this.admitted = this.latestEnd = 0
    this.complete = false
    this.#passes.clear()
    this.#over.clear()
  }
}

const keyOf = (accountId: string, { endsAt }: { endsAt: number }) => `${accountId} ${endsAt}`
