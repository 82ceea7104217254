// Owns what servers tell each other of seats just chosen, so that the others look elsewhere.
//
// The feed says that a seat is gone when its hold is committed. Until then another server offers it too, which matters
// once the rows are no longer shared out: towards the end of a section both choose from the same few blocks. A claim is
// heard a few milliseconds after the choice. One that is lost costs a refusal by the gate, as before.
import type { Channels } from '../../channels.ts'
import type { Context } from '../../context.ts'

/** Whoever is about to enter another's rows listens for so long to what it has chosen of them: a crowd's first moment. */
export const LISTEN_MS = 80
/** What waits to be told while Redis does not answer; more is not told. */
const SEATS_WAITING_MAX = 2_000

const claimsChannel = (eventId: string) => `best-claims:{${eventId}}`

export interface Claims {
  /** To all other servers, soon; never fails. */
  tell(seats: number[]): void
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
  let waiting: number[] = []
  let telling = false

  /** What is chosen while one message is under way goes together in the next. */
  async function tellAll(): Promise<void> {
    telling = true
    while (waiting.length > 0) {
      const message = JSON.stringify({ from: me, seats: waiting })
      waiting = []
      await redis.publish(channel, message).catch(() => {})
    }
    telling = false
  }

  const close = channels.listen(channel, (message) => {
    const { from, seats } = parseClaims(message)
    if (from !== me) heard(seats)
  })
  return {
    tell(seats) {
      if (waiting.length + seats.length > SEATS_WAITING_MAX) return
      waiting.push(...seats)
      if (!telling) void tellAll()
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
