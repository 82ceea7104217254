// Decides what an event's pages say of its room, also while the room cannot be asked.
import type { Context } from '../context.ts'
import type { EventSummary } from '../protocol/http.ts'

type Needs = Pick<Context, 'room'>

/** With Redis away nobody is let in: an event's page still shows, and says so. */
export async function roomSummary({ room }: Needs, eventId: string): Promise<EventSummary['room']> {
  const view = await room.view(eventId).catch(() => 'unknown' as const)
  if (view === 'unknown') return { enabled: true, phase: 'paused' }
  return view ? { enabled: view.enabled, phase: view.phase } : { enabled: false, phase: 'off' }
}

/** Accounts that joined the line and passes issued; 0 while the room cannot be asked. */
export async function roomFunnel(
  { room }: Needs,
  eventId: string,
): Promise<{ joined: number; admitted: number }> {
  const view = await room.view(eventId).catch(() => null)
  return { joined: view?.arrivals ?? 0, admitted: view?.admitted ?? 0 }
}
