// Owns the two connections a fuzz needs: one that moves, one that hears. No timeouts: a slow machine is no failure.
import Redis from 'ioredis'
import type { Wire } from './world.ts'

export async function openWire(url: string): Promise<Wire & { close(): Promise<void> }> {
  const redis = new Redis(url, { enableAutoPipelining: true })
  const ear = new Redis(url)
  redis.setMaxListeners(0)
  const listeners = new Map<string, (message: string) => void>()
  ear.on('message', (channel, message) => listeners.get(channel)?.(message))
  return {
    redis,
    async listen(channel, heard) {
      listeners.set(channel, heard)
      await ear.subscribe(channel)
      return async () => {
        await ear.unsubscribe(channel)
        listeners.delete(channel)
      }
    },
    close: async () => {
      await Promise.all([redis.quit(), ear.quit()])
    },
  }
}
