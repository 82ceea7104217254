// Decides whether the cache in front of the seats tells the truth: what differs must be put right within seconds.
import { findDifferences, listEventsToReconcile } from '../seat-gate/reconcile.ts'
import { listBroken, type AuditStores, type Broken } from './broken.ts'

/** A difference may live this long. */
const DIFFERS_MAX_MS = 5_000
const LOOK_AGAIN_MS = 250

export const cacheCheck = {
  id: 'I7',
  name: `a cached seat status is true, or put right within ${DIFFERS_MAX_MS / 1_000} s`,
  run: async (stores: AuditStores): Promise<Broken> =>
    checkCache(stores, await listEventsToReconcile(stores.db)),
  /** The same of some events. */
  runOf: checkCache,
}

/** Looks again at what differs until it is put right or has been wrong for too long. */
async function checkCache(stores: AuditStores, eventIds: string[]): Promise<Broken> {
  let wrong = await readWrong(stores, eventIds)
  const deadline = Date.now() + DIFFERS_MAX_MS
  while (wrong.size > 0 && Date.now() < deadline) {
    await Bun.sleep(LOOK_AGAIN_MS)
    const still = await readWrong(stores, [...new Set([...wrong.values()].map(({ eventId }) => eventId))])
    wrong = new Map([...wrong].filter(([key]) => still.has(key)))
  }
  return listBroken([...wrong.values()].map(({ what }) => what))
}

async function readWrong(
  stores: AuditStores,
  eventIds: string[],
): Promise<Map<string, { eventId: string; what: string }>> {
  const wrong = new Map<string, { eventId: string; what: string }>()
  for (const eventId of eventIds)
    for (const { n, status, version, observed } of await findDifferences(stores, eventId))
      // An absent key says nothing, and so nothing false.
      if (observed != null)
        wrong.set(`${eventId}:${n} ${observed}`, {
          eventId,
          what: `seat ${eventId}:${n} is ${status}:${version}, cached as ${observed}`,
        })
  return wrong
}
