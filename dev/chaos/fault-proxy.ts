// Owns one link between two processes: TCP through a port of its own, which can be cut, slowed, stopped or made to lie.
import { createServer, connect, type Server, type Socket } from 'node:net'

/**
 * - `pass`: everything goes through.
 * - `refuse`: connections are reset, old and new.
 * - `delay`: each chunk is late.
 * - `hold`: nothing goes through in either direction; all of it arrives when the fault is over (a partition that heals).
 * - `half-open`: the far end has forgotten; whatever is sent is lost without a word, and reset when the fault is over.
 * - `no-answers`: requests arrive, answers are lost; reset when the fault is over. A commit's outcome stays unknown.
 */
export type LinkMode = 'pass' | 'refuse' | 'delay' | 'hold' | 'half-open' | 'no-answers'

const HOST = '127.0.0.1'
/** Unsent bytes of one direction beyond which its source is not read on. */
const BUFFERED_MAX = 1 << 20

/** Chunks on their way in one direction, in order; `due` in ms on the monotone clock. */
interface Lane {
  late: { chunk: string | Uint8Array; due: number }[]
  timer: ReturnType<typeof setTimeout> | undefined
}

interface Pair {
  near: Socket
  far: Socket
  /** By the socket they go to. */
  lanes: Map<Socket, Lane>
  /** Bytes of this pair were lost: it can only be reset. */
  lied: boolean
}

export class FaultProxy {
  readonly #server: Server
  readonly #target: number
  readonly #pairs = new Set<Pair>()
  #mode: LinkMode = 'pass'
  #delayMs = 0
  /** Connections accepted while nothing gets through. */
  readonly #waiting = new Set<Socket>()
  port = 0

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer({ noDelay: true }, (near) => this.#accept(near))
  }

  /** Listens on a free port of loopback and passes on to `target`. */
  static async open(target: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(target)
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject)
      proxy.#server.listen(0, HOST, () => resolve())
    })
    proxy.port = (proxy.#server.address() as { port: number }).port
    return proxy
  }

  get mode(): LinkMode {
    return this.#mode
  }

  /** Changes what happens to bytes from now on; leaving a mode mends or resets what it touched. */
  set(mode: LinkMode, { delayMs = 0 }: { delayMs?: number } = {}): void {
    const before = this.#mode
    this.#mode = mode
    this.#delayMs = delayMs
    if (mode === 'refuse') this.reset()
    if (before === 'hold' || before === 'half-open') this.#mend()
    for (const pair of this.#pairs) {
      if (pair.lied && mode === 'pass') this.#drop(pair)
      else if (mode === 'hold') pause(pair)
    }
  }

  /** Resets every connection there is; new ones are as the mode says. */
  reset(): void {
    for (const pair of this.#pairs) this.#drop(pair)
    for (const near of this.#waiting) near.resetAndDestroy()
    this.#waiting.clear()
  }

  close(): void {
    this.reset()
    this.#server.close()
  }

  #mend(): void {
    for (const { near, far } of this.#pairs) {
      near.resume()
      far.resume()
    }
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const near of waiting) this.#accept(near)
  }

  #accept(near: Socket): void {
    near.on('error', () => {})
    if (this.#mode === 'refuse') return void near.resetAndDestroy()
    if (this.#mode === 'hold' || this.#mode === 'half-open') {
      near.pause()
      near.once('close', () => this.#waiting.delete(near))
      this.#waiting.add(near)
      return
    }
    if (near.destroyed) return
    const far = connect({ host: HOST, port: this.#target, noDelay: true })
    const pair: Pair = {
      near,
      far,
      lanes: new Map([near, far].map((to) => [to, { late: [], timer: undefined }])),
      lied: false,
    }
    this.#pairs.add(pair)
    near.on('data', (chunk) => this.#pass(pair, chunk, near, far))
    far.on('data', (chunk) => this.#pass(pair, chunk, far, near))
    far.on('error', () => this.#drop(pair))
    for (const socket of [near, far]) {
      socket.on('end', () => this.#ended(pair))
      socket.on('close', () => this.#ended(pair))
    }
    near.resume()
  }

  #pass(pair: Pair, chunk: string | Uint8Array, from: Socket, to: Socket): void {
    const lost = this.#mode === 'half-open' || (this.#mode === 'no-answers' && from === pair.far)
    if (lost) return void (pair.lied = true)
    const lane = pair.lanes.get(to)!
    lane.late.push({ chunk, due: performance.now() + (this.#mode === 'delay' ? this.#delayMs : 0) })
    this.#deliver(lane, from, to)
  }

  /** Writes what is due. What was late stays before what comes after it, also when the delay is over meanwhile. */
  #deliver(lane: Lane, from: Socket, to: Socket): void {
    clearTimeout(lane.timer)
    while (lane.late.length > 0 && !to.destroyed) {
      const { chunk, due } = lane.late[0]!
      const leftMs = due - performance.now()
      if (leftMs > 0) {
        lane.timer = setTimeout(() => this.#deliver(lane, from, to), leftMs)
        return
      }
      lane.late.shift()
      to.write(chunk)
    }
    if (to.writableLength < BUFFERED_MAX) return
    from.pause()
    to.once('drain', () => void (this.#mode !== 'hold' && from.resume()))
  }

  /** One side went: so does the other, once what it was owed is written; unless nobody can know. */
  #ended(pair: Pair): void {
    if (this.#mode === 'half-open' || this.#mode === 'hold') {
      pair.lied = true
      return
    }
    const { near, far, lanes } = pair
    const late = [...lanes.values()].flatMap((lane) => lane.late.at(-1)?.due ?? [])
    const leftMs = Math.max(0, ...late) - performance.now()
    if (leftMs > 0) return void setTimeout(() => this.#ended(pair), leftMs)
    this.#pairs.delete(pair)
    near.end()
    far.end()
  }

  #drop(pair: Pair): void {
    this.#pairs.delete(pair)
    pair.near.resetAndDestroy()
    pair.far.resetAndDestroy()
  }
}

function pause({ near, far }: Pair): void {
  near.pause()
  far.pause()
}
