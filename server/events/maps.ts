// Owns the encoded maps of the events asked for lately: each made once a map version.
import { findEvent } from '../../db/events.ts'
import { listMarkedSeats } from '../../db/seats.ts'
import type { Context } from '../context.ts'
import { Refusal, reply } from '../errors.ts'
import { encode, GZIP_SMALL, type Encoded } from './bytes.ts'
import { layOut } from '../protocol/map-layout/lay-out.ts'
import { packAccess } from '../protocol/seat-map.ts'

interface CachedMap {
  mapVersion: number
  encoded: Encoded
}

/** The largest is about a megabyte, plain and compressed together. */
const MAPS_MAX = 64

export function createMaps({ ledger }: Pick<Context, 'ledger'>) {
  const cached = new Map<string, CachedMap>()
  const making = new Map<string, Promise<CachedMap>>()

  async function make(eventId: string): Promise<CachedMap> {
    const event = await findEvent(ledger.db, eventId)
    if (!event) throw new Refusal('not_found')
    // After the event: marks newer than its version are of the version that comes next.
    const access = packAccess(await listMarkedSeats(ledger.db, eventId))
    const encoded = encode(reply(200, 'Map', layOut({ ...event, access })), GZIP_SMALL)
    const made = { mapVersion: event.mapVersion, encoded }
    keep(eventId, made)
    return made
  }

  /** Most recently used last. */
  function keep(eventId: string, map: CachedMap): void {
    cached.delete(eventId)
    cached.set(eventId, map)
    for (const id of cached.keys()) {
      if (cached.size <= MAPS_MAX) break
      cached.delete(id)
    }
  }

  return {
    /** The map of at least this version; several who ask at once share the making. Throws `not_found`. */
    async get(eventId: string, mapVersion: number): Promise<CachedMap> {
      const known = cached.get(eventId)
      if (known && known.mapVersion >= mapVersion) {
        keep(eventId, known)
        return known
      }
      let made = making.get(eventId)
      if (!made) making.set(eventId, (made = make(eventId).finally(() => making.delete(eventId))))
      return made
    },
  }
}
