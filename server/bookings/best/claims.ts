// Owns what servers tell each other of seats just chosen, so that the others look elsewhere.
//
// The feed says that a seat is gone when its hold is committed. Until then another server offers it too, which matters
// once the rows are no longer shared out: towards the end of a section both choose from the same few blocks. A claim is
// heard a few milliseconds after the choice. One that is lost costs a refusal by the gate, as before.
//
// Who tells is there: servers that nobody numbered, such as copies of one container, share the rows out by that.
import type { Channels } from '../../channels.ts'
import type { Context } from '../../context.ts'

/** Whoever is about to enter another's rows listens for so long to what it has chosen of them: a crowd's first moment. */
export const LISTEN_MS = 80
/** A server that has told nothing for so long sells nothing of the event, and its rows are free for the others. */
const SPEAKS_MS = 5_000
/** More servers than one event is ever sold by; further ones choose as if they were alone. */
const PEERS_MAX = 64
/** What waits to be told while Redis does not answer; more is not told. */
const SEATS_WAITING_MAX = 2_000

const claimsChannel = (eventId: string) => `best-claims:{${eventId}}`

export interface Claims {
  /** To all other servers, soon; never fails. */
  tell(seats: number[]): void
  /** Which of so many servers this one is, by who has told something lately (ms since 1970). */
  lane(now: number): { index: number; of: number }
  close(): void
}

/** `heard` gets the seats that another server has just chosen. */
export function shareClaims(
  { channels, redis }: { channels: Pick<Channels, 'listen'>; redis: Pick<Context['redis'], 'publish'> },
  eventId: string,
  heard: (seats: number[]) => void,
): Claims {
  const channel = claimsChannel(eventId)
  const me = Bun.randomUUIDv7()
  const peers = new Map<string, number>()
  let waiting: number[] = []
  let telling = false

  const publish = (seats: number[]) =>
    redis.publish(channel, JSON.stringify({ from: me, seats })).catch(() => {})

  /** Who is heard for the first time is answered, so that each knows of the other before a crowd comes. */
  function meet(peer: string): void {
    const isKnown = peers.has(peer)
    if (!isKnown && peers.size >= PEERS_MAX) return
    peers.set(peer, Date.now())
    if (!isKnown) void publish([])
  }

  /** What is chosen while one message is under way goes together in the next. */
  async function tellAll(): Promise<void> {
    telling = true
    while (waiting.length > 0) {
      const seats = waiting
      waiting = []
      await publish(seats)
    }
    telling = false
  }

  const close = channels.listen(channel, (message) => {
    const { from, seats } = parseClaims(message)
    if (typeof from !== 'string' || from === me) return
    meet(from)
    heard(seats)
  })
  void publish([])
  return {
    tell(seats) {
      if (waiting.length + seats.length > SEATS_WAITING_MAX) return
      waiting.push(...seats)
      if (!telling) void tellAll()
    },
    lane(now) {
      for (const [peer, at] of peers) if (at < now - SPEAKS_MS) peers.delete(peer)
      const all = [me, ...peers.keys()].toSorted()
      return { index: all.indexOf(me), of: all.length }
    },
    close,
  }
}

/** Of a message that is not one of ours: no seats. */
function parseClaims(message: string): { from: unknown; seats: number[] } {
  try {
    const { from, seats } = JSON.parse(message) as { from?: unknown; seats?: unknown }
    return { from, seats: Array.isArray(seats) ? seats.filter(Number.isInteger) : [] }
  } catch {
    return { from: null, seats: [] }
  }
}
