// Owns what is known of one event and its room while somebody looks at its page.
import { getEvent, getRoom } from '../net/calls.ts'
import { serverClock } from '../net/server-clock.ts'
import { Resource } from './resource.svelte.ts'

const LOOK_AGAIN_MS = 15_000
/** People who opened the page at the same moment do not all ask again at the same moment. */
const SPREAD_MS = 5_000

export class EventWatch {
  readonly event
  readonly room

  constructor(eventId: string) {
    this.event = new Resource(() => getEvent(eventId))
    this.room = new Resource(async () => {
      const sentAt = Date.now()
      const answer = await getRoom(eventId)
      if (answer.ok) serverClock.sample(Date.parse(answer.data.serverTime), sentAt)
      return answer
    })
  }

  /** Looks now and then again as long as the page is seen; returns how to stop. */
  start(): () => void {
    const look = () => {
      if (document.hidden) return
      void this.event.load()
      void this.room.load()
    }
    look()
    const timer = setInterval(look, LOOK_AGAIN_MS + Math.random() * SPREAD_MS)
    document.addEventListener('visibilitychange', look)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', look)
    }
  }
}
