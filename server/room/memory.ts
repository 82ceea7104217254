// Owns what one server remembers of a line, beside Redis: how far it had come, and every live pass. After a lost Redis
// it is the witness of what was given out.
import type { ScriptAnswer } from './scripts.ts'

/** Admissions count against the rate for so long. */
const WINDOW_MS = 60_000
/** Fields before the passes in attend.lua's answer, and fields a pass. */
const ATTENDED_FIELDS = 6
const PASS_FIELDS = 3

interface Pass {
  number: number
  /** ms; at most a second late. */
  issuedAt: number
  /** ms. */
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
  /** When passes that are over were issued, as long as the rate counts them. */
  #over: number[] = []

  get livePasses(): number {
    return this.#passes.size
  }

  /** Somebody was given `number`. */
  numbered(epoch: number, number: number): void {
    if (epoch === this.epoch) this.arrivals = Math.max(this.arrivals, number + 1)
  }

  issued(accountId: string, pass: Pass & { epoch: number }): void {
    if (pass.epoch === this.epoch) this.#keep(accountId, pass)
  }

  /** The place or pass of an account is over. */
  over(accountId: string): void {
    const pass = this.#passes.get(accountId)
    if (!pass) return
    this.#passes.delete(accountId)
    this.#over.push(pass.issuedAt)
  }

  /** What attend.lua answered at `now`. Answers how many passes it told. */
  attended(answer: ScriptAnswer, now: number): number {
    const [, , epoch, arrivals, serving, admitted] = answer.map(Number) as number[]
    if (epoch !== this.epoch) this.#forget(epoch!)
    this.arrivals = Math.max(this.arrivals, arrivals!)
    this.serving = Math.max(this.serving, serving!)
    this.admitted = Math.max(this.admitted, admitted!)
    for (let at = ATTENDED_FIELDS; at < answer.length; at += PASS_FIELDS) {
      const endsAt = Number(answer[at + 2])
      this.#keep(answer[at]!, { number: Number(answer[at + 1]), issuedAt: now, endsAt })
      this.latestEnd = Math.max(this.latestEnd, endsAt)
    }
    this.#prune(now)
    return (answer.length - ATTENDED_FIELDS) / PASS_FIELDS
  }

  /** As return-passes.lua takes them: account, number, issued, end; those that are over end at 0. */
  toReturn(now: number): (string | number)[][] {
    this.#prune(now)
    const live = [...this.#passes].map(([accountId, pass]) => [
      accountId,
      pass.number,
      pass.issuedAt,
      pass.endsAt,
    ])
    return [...live, ...this.#over.map((issuedAt) => ['', 0, issuedAt, 0])]
  }

  #keep(accountId: string, { number, issuedAt, endsAt }: Pass): void {
    const known = this.#passes.get(accountId)
    if (known?.endsAt === endsAt) return
    if (known) this.#over.push(known.issuedAt)
    this.#passes.set(accountId, { number, issuedAt, endsAt })
  }

  #prune(now: number): void {
    for (const [accountId, { endsAt }] of this.#passes) if (endsAt <= now) this.over(accountId)
    this.#over = this.#over.filter((issuedAt) => issuedAt > now - WINDOW_MS)
  }

  #forget(epoch: number): void {
    this.epoch = epoch
    this.arrivals = this.serving = this.admitted = this.latestEnd = 0
    this.complete = false
    this.#passes.clear()
    this.#over = []
  }
}
