// Owns every Redis key of a waiting room: its type, what it holds and how long it lives.
//
// All keys of one event share the hash tag {eventId}, so that one script may touch them all in Redis Cluster. They are
// handed to each script in this order and named once, at the top of lua/line.lua.

/** A room nobody ticks any more is forgotten after this long. The lifetime of every key below, renewed by the clock. */
export const ROOM_KEY_SECONDS = 30 * 24 * 3_600
/** Only one server at a time rebuilds a lost room; the lock outlives any rebuild and frees itself. */
export const RESTORE_LOCK_MS = 5_000

const NAMES = [
  /** hash: epoch, arrivals, serving, outstanding, lease, frozen time, rate window, seats, counters */
  'meta',
  /** hash: the organiser's settings as last pushed, with their version */
  'settings',
  /**
   * hash: accountId → number:place:flag:deferred:joinedMs:socket:turn, and once there is any of it
   * ;calledS,admittedS,endedS,why,priority (seconds since joining). One field an account: one place an account.
   * Who has gone stays, with flag x; joining again overwrites it
   */
  'entrants',
  /** zset: place → place, of those who left before being called; below `serving` it is emptied */
  'gone',
  /** zset: accountId → place, of those who came back with a ticket of an earlier epoch */
  'returned',
  /** zset: accountId → place, of those to be called one by one: stepped back, or back when the line had passed them */
  'late',
  /** zset: turn id `from:to` → from, of raises of the watermark somebody may still claim */
  'turns',
  /** zset: turn id → claimBefore in room time (ms; it stands still while the room is paused) */
  'due',
  /** hash: turn id → how many of it have neither claimed nor left */
  'outstanding',
  /** zset: accountId → ms when the pass ends. The live passes */
  'active',
  /** hash: quarter second → passes issued in it, of the last minute */
  'admissions',
  /** zset: accountId → place, of those who claimed and wait for a free pass */
  'door',
  /** zset: accountId → room time (ms) when a lost connection loses its place */
  'away',
  /** list: seconds from joining to the pass, of the latest admissions */
  'waits',
  /** list: windows of the line's pace (lua/pace.lua), the latest last */
  'pace',
  /** zset: accountId → place, of the waiting whose connection is lost: not called while they are away. Below 0, of those
   *  to be called alone; +inf while the place is not drawn */
  'absent',
  /** hash: turn id → how many were called in it and neither left nor stepped back, until it is due */
  'widths',
  /** zset: accountId → ms of the pass, of the admitted who have taken no seat yet */
  'idle',
  /** hash: accountId → seats taken, of the admitted who took some */
  'taken',
  /** hash: server → how its reservations went lately (lua/report-health.lua) */
  'health',
  /** zset: accountId → number, of those with priority who wait */
  'priority',
  /** stream: steps of the line not older than the latest STEPS_KEPT (lua/steps.lua), by their sequence */
  'steps',
  /** zset: server → ms when it was last heard of, of the servers that hold sockets of this room */
  'servers',
  /** string: the round tables of the draw (server/protocol/draw.ts), 4 bytes a word */
  'draw',
  /** zset: place → place, of numbers nobody stands at, gathered for the draw that makes them `gone` */
  'holes',
  /** list: numbers given up between the close of the list and the draw */
  'left',
  /** string: who left the line, as view-room.lua drew it last; lives one second */
  'curve',
  /** hash: accountId → ms when the pass would have ended, of passes of the lost epoch that a server knows to be over */
  'spent',
] as const

export const roomKey = (eventId: string, name: (typeof NAMES)[number]): string => `room:{${eventId}}:${name}`

/** Rooms whose keys are remembered: every move of a line names all of them. */
const REMEMBERED_MAX = 200
const remembered = new Map<string, readonly string[]>()

/** The keys of one event's room in the order the scripts name them. */
export function roomKeys(eventId: string): readonly string[] {
  let keys = remembered.get(eventId)
  if (!keys) {
    keys = NAMES.map((name) => roomKey(eventId, name))
    if (remembered.size >= REMEMBERED_MAX) remembered.clear()
    remembered.set(eventId, keys)
  }
  return keys
}

/** string: held by the server that rebuilds the room; lives RESTORE_LOCK_MS. */
export const restoreLockKey = (eventId: string) => `room:{${eventId}}:restoring`

/** Pub/sub channel of what moved in the line; a lost message heals by the poll each second. */
export const roomFeedChannel = (eventId: string) => `room-feed:{${eventId}}`

/** hash: accountId → `<number>:<level>` of the proof of work it owes, level 0 once proved; lives ROOM_KEY_SECONDS. */
export const challengesKey = (eventId: string) => `room:{${eventId}}:challenges`
/** string: a challenge that was used; lives as long as the challenge. */
export const spentChallengeKey = (eventId: string, nonce: string) => `room:{${eventId}}:spent:${nonce}`
