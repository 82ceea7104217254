// Owns the ticking of everything that counts down: one timer for the whole window, running only while watched.
import { createSubscriber } from 'svelte/reactivity'
import { serverClock } from '../net/server-clock.ts'

const TICK_MS = 250

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, TICK_MS)
  // A hidden tab's timer is slowed down: on return the right number shows at once.
  const shown = () => update()
  document.addEventListener('visibilitychange', shown)
  return () => {
    clearInterval(timer)
    document.removeEventListener('visibilitychange', shown)
  }
})

/** The server's time in ms; whatever reads it in a template is drawn again as time passes. */
export function tickingNow(): number {
  subscribe()
  return serverClock.now()
}

/** Whole seconds until `at` (ISO), never below 0; ticking. */
export const secondsUntil = (at: string): number =>
  Math.max(0, Math.ceil((Date.parse(at) - tickingNow()) / 1_000))
