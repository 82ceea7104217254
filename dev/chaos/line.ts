// Decides what a few people do at a second sale, which has a waiting room: stand in line, claim, reserve, leave, again.
import { checkPasses } from '../../db/audit/room-checks.ts'
import { connectRedis } from '../../db/redis.ts'
import type { RoomChoice } from '../../db/rooms.ts'
import type { EntrantView } from '../../server/protocol/http.ts'
import { requestBytes } from '../bench/http-load.ts'
import { reserve, use, type Buyer, type Crowd } from './buyers.ts'

/** Fewer live passes than people, so that there is a line. */
export const ROOM: RoomChoice = {
  enabled: true,
  lobbyAt: null,
  activeMax: 3,
  admitPerMinute: null,
  doorSeconds: 5,
  passSeconds: 20,
  graceSeconds: 30,
}
export const PEOPLE = 10
const PATIENCE_MS = 4_000
/** Some ask sooner than the servers say what they know of a lost line, some later. */
const POLL_MS = { least: 200, most: 3_000 }
const RESERVATIONS_A_PASS = 3
const LOOK_EVERY_MS = 1_000

/** One person's turns, until the sale is over. */
export async function standInLine(crowd: Crowd, buyer: Buyer): Promise<void> {
  const room = `/api/v1/event/${crowd.hall.eventId}/room`
  let ticket: string | null = null
  while (!crowd.over()) {
    await Bun.sleep(POLL_MS.least + crowd.random() * (POLL_MS.most - POLL_MS.least))
    const body: { ticket?: string } = ticket === null ? {} : { ticket }
    const view: EntrantView | null =
      (await tell(crowd, buyer, 'GET', `${room}/me`)) ??
      (await tell(crowd, buyer, 'POST', `${room}/join`, body))
    if (view?.ticket) ticket = view.ticket
    if (view?.state === 'outside') await tell(crowd, buyer, 'POST', `${room}/join`, body)
    const admitted = view?.state === 'called' ? await tell(crowd, buyer, 'POST', `${room}/claim`) : view
    if (!admitted?.pass) continue
    const guest = { ...buyer, pass: admitted.pass }
    for (let n = 0; n < RESERVATIONS_A_PASS && !crowd.over(); n++) {
      const booking = await reserve(crowd, guest)
      if (booking) await use(crowd, guest, booking)
    }
    await tell(crowd, buyer, 'POST', `${room}/leave`)
    ticket = null
  }
}

/** Null when the line did not answer, or refused. */
async function tell(
  { clients, random }: Crowd,
  { token }: Buyer,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
): Promise<EntrantView | null> {
  const client = clients[Math.floor(random() * clients.length)]!
  const reply = await client.send(
    requestBytes(method, path, { token, ...(body === undefined ? {} : { body }) }),
    PATIENCE_MS,
  )
  if (typeof reply === 'string' || reply.status >= 400) return null
  return (JSON.parse(reply.body) as { data: EntrantView }).data
}

/** Looks at I8 all the time: an excess of passes would be over long before the audit. Answers what ends it. */
export function watchPasses({ history, hall }: Crowd, redisUrl: string): () => void {
  const redis = connectRedis(redisUrl, { role: 'commands', name: 'onsale-chaos' })
  const timer = setInterval(() => {
    checkPasses(redis, hall.eventId).then(
      (broken) => broken.forEach((what) => history.violation(`I8, in the midst of it: ${what}`)),
      // Redis is one of those that are struck.
      () => {},
    )
  }, LOOK_EVERY_MS)
  return () => {
    clearInterval(timer)
    redis.disconnect()
  }
}
