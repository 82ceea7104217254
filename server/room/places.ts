// Owns where one server's sockets of an event stand in line: found by place, each on the topic of how near it is.
import type { Socket, Tier } from './connection.ts'

/** Who has at most so many places before them is near, or not far. */
const NEAR_PLACES = 1_000
const MID_PLACES = 10_000
/** The place of a number that waits for the draw. */
export const UNDRAWN = -1

export class Places {
  #sockets = new Map<number, Socket>()
  #toldServing = 0

  constructor(private readonly eventId: string) {}

  topic(tier: Tier): string {
    return `${tier}:${this.eventId}`
  }

  /** Up to which place the sockets here were told that they are called. */
  get toldServing(): number {
    return this.#toldServing
  }

  /** The line begins here: at the first word of it, and with each epoch. */
  beginAt(serving: number): void {
    this.#toldServing = serving
  }

  /** Moves the watermark up to `to`; answers the sockets with a place in [from, to), and brings others nearer. */
  raise(from: number, to: number): Socket[] {
    this.#toldServing = Math.max(this.#toldServing, to)
    this.#bringNearer(from + NEAR_PLACES, to + NEAR_PLACES)
    this.#bringNearer(from + MID_PLACES, to + MID_PLACES)
    return this.#between(from, to)
  }

  /** The same from where the sockets here were told to. */
  raiseTo(to: number): Socket[] {
    return this.raise(this.#toldServing, to)
  }

  /** Its place is known, or is `UNDRAWN`; it is not found by it yet. */
  stand(socket: Socket, place: number): void {
    socket.data.place = place
    this.setTier(socket, place === UNDRAWN ? 'far' : this.#tierOf(place))
  }

  /** From now on a raise past its place finds it. */
  lineUp(socket: Socket): void {
    this.#sockets.set(socket.data.place, socket)
  }

  stepOut(socket: Socket): void {
    if (this.#sockets.get(socket.data.place) === socket) this.#sockets.delete(socket.data.place)
  }

  /** Each socket is subscribed to one topic, its tier's: a second one for what concerns all costs memory a socket. */
  setTier(socket: Socket, tier: Tier): void {
    if (socket.data.tier === tier) return
    socket.unsubscribe(this.topic(socket.data.tier))
    socket.subscribe(this.topic(tier))
    socket.data.tier = tier
  }

  /** By place or by socket, whichever are fewer. */
  #between(from: number, to: number): Socket[] {
    if (to - from > this.#sockets.size)
      return [...this.#sockets.values()].filter(({ data }) => data.place >= from && data.place < to)
    const found: Socket[] = []
    for (let place = from; place < to; place++) {
      const socket = this.#sockets.get(place)
      if (socket) found.push(socket)
    }
    return found
  }

  #bringNearer(from: number, to: number): void {
    for (const socket of this.#between(from, to)) this.setTier(socket, this.#tierOf(socket.data.place))
  }

  #tierOf(place: number): Tier {
    const ahead = place - this.#toldServing
    return ahead <= NEAR_PLACES ? 'near' : ahead <= MID_PLACES ? 'mid' : 'far'
  }
}
