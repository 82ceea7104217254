// Decides which sockets may stay open: those that said who they are or what they want, and whose session still is.
import { openSessions } from '../auth/session-check.ts'
import type { Context } from '../context.ts'
import { CLOSE_CODES, LIMITS } from '../protocol/codes.ts'
import type { Socket } from './connection.ts'

/** A session that ended is noticed after at most this long. */
const SESSION_CHECK_EVERY_MS = 60_000

/** Closes those who never said who they are or what they want, and those whose session has ended. */
export function checkSessions(
  context: Pick<Context, 'redis' | 'ledger'>,
  sockets: Iterable<Socket>,
  now: number,
): void {
  const due: Socket[] = []
  for (const socket of sockets) {
    const { data } = socket
    if (data.sessionId === null) {
      if (!data.heard && now - data.openedAt > LIMITS.helloWithinMs) socket.close(CLOSE_CODES.unauthenticated)
    } else if (data.sessionCheckAt === 0) data.sessionCheckAt = now + Math.random() * SESSION_CHECK_EVERY_MS
    else if (data.sessionCheckAt <= now) {
      data.sessionCheckAt = now + SESSION_CHECK_EVERY_MS
      due.push(socket)
    }
  }
  if (due.length > 0) void closeEnded(context, due)
}

async function closeEnded(context: Pick<Context, 'redis' | 'ledger'>, due: Socket[]): Promise<void> {
  try {
    const asked = due.map(({ data }) => data.sessionId!)
    const open = await openSessions(context, asked)
    for (const [index, socket] of due.entries())
      // A newer token may have come meanwhile, of another session.
      if (!open.has(asked[index]!) && socket.data.sessionId === asked[index])
        socket.close(CLOSE_CODES.unauthenticated, 'signed out')
  } catch {
    // Postgres is away; the next minute asks again.
  }
}
