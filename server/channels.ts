// Owns the server's one pub/sub connection to Redis: who listens to which channel, and what to do after a gap.
import type { RedisClient } from '../db/redis.ts'

export type Listener = (message: string) => void

export interface Channels {
  /** Starts listening; the returned function stops. A channel is subscribed once however many listen. */
  listen(channel: string, listener: Listener): () => void
  /** Resolves when Redis has confirmed the subscription, or after a bounded wait when Redis is away. */
  listening(channel: string): Promise<void>
  /** Called after each reconnect: messages may have been missed. The returned function stops. */
  onReconnect(listener: () => void): () => void
}

const SUBSCRIBE_WAIT_MS = 1_000

export function createChannels(subscriber: RedisClient): Channels {
  const listeners = new Map<string, Set<Listener>>()
  const confirmed = new Map<string, Promise<unknown>>()
  const reconnected = new Set<() => void>()
  let connectedBefore = subscriber.status === 'ready'

  subscriber.on('message', (channel: string, message: string) => {
    for (const listener of listeners.get(channel) ?? []) listener(message)
  })
  subscriber.on('ready', () => {
    if (connectedBefore) for (const listener of reconnected) listener()
    connectedBefore = true
  })

  return {
    listen(channel, listener) {
      let set = listeners.get(channel)
      if (!set) {
        listeners.set(channel, (set = new Set()))
        confirmed.set(
          channel,
          subscriber.subscribe(channel).catch(() => {}),
        )
      }
      set.add(listener)
      return () => {
        set.delete(listener)
        if (set.size > 0 || listeners.get(channel) !== set) return
        listeners.delete(channel)
        confirmed.delete(channel)
        subscriber.unsubscribe(channel).catch(() => {})
      }
    },
    async listening(channel) {
      await Promise.race([confirmed.get(channel), Bun.sleep(SUBSCRIBE_WAIT_MS)])
    },
    onReconnect(listener) {
      reconnected.add(listener)
      return () => reconnected.delete(listener)
    },
  }
}
