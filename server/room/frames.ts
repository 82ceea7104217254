// Decides what each frame of a client does, one frame of a socket after the other; nothing thrown leaves this file.
import { identifyToken } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { toRefusal } from '../errors.ts'
import { faultFields } from '../log.ts'
import { CLOSE_CODES, LIMITS } from '../protocol/codes.ts'
import type { ClientFrame } from '../protocol/socket.ts'
import { limit } from '../rate-limit.ts'
import { send, sendError, sendRefusal, sendText, type Socket } from './connection.ts'
import { enterRoom } from './entry.ts'
import type { EventHub } from './hub.ts'

/** Works through a socket's frames in order: `first`, and whatever comes meanwhile. */
export async function workThrough(
  context: Context,
  hub: EventHub,
  socket: Socket,
  first: ClientFrame,
): Promise<void> {
  const { data } = socket
  data.working = true
  for (let frame: ClientFrame | undefined = first; frame; frame = data.queue?.shift()) {
    const { eventId, accountId, state, number, epoch } = data
    try {
      if (hub.sockets.has(socket)) await handle(context, hub, socket, frame)
    } catch (fault) {
      const refusal = toRefusal(fault)
      // Who leaves seldom waits for an answer.
      if (frame.type === 'leave' && refusal.code === 'store_unavailable' && accountId && state !== 'outside')
        context.room.oweLeave({ eventId, accountId, number, epoch })
      if (refusal.code === 'internal')
        context.log.error('frame_failed', { type: frame.type, ...faultFields(fault) })
      sendRefusal(socket, refusal)
    }
  }
  data.queue = null
  data.working = false
}

async function handle(context: Context, hub: EventHub, socket: Socket, frame: ClientFrame): Promise<void> {
  const { data } = socket
  const { eventId } = data
  const { room } = context
  switch (frame.type) {
    case 'hello':
      return hello(context, hub, socket, frame.token)
    case 'watch':
      data.stopSeats?.()
      data.stopSeats = context.availability.watch(eventId, frame.version, (_frame, text) =>
        sendText(socket, text),
      )
      return
    case 'unwatch':
      data.stopSeats?.()
      data.stopSeats = null
      return
  }
  const { accountId } = data
  if (accountId === null) return sendError(socket, 'unauthenticated')
  const limited = await limit(context, { name: 'room', key: accountId })
  if (!limited.ok) return sendError(socket, 'rate_limited')
  switch (frame.type) {
    case 'join': {
      const { ticket = '' } = frame
      const { address, connection } = data
      const move = await enterRoom(context, { eventId, accountId, address, ticket, socket: connection })
      if (move.ok) return hub.joined(socket, move.entrant)
      return sendError(socket, move.refusal, move.message)
    }
    case 'claim': {
      const { endings, state: before } = data
      const move = await room.takeTurn(eventId, accountId)
      if (!move.ok) return sendError(socket, move.refusal, move.message)
      await hub.settle(socket, move.entrant)
      const { state, why, expiresAt } = move.entrant
      // A repeat is answered too, with the same admission.
      if (state === 'admitted' && before === 'admitted')
        send(socket, {
          type: 'admitted',
          pass: room.signPass(eventId, move.entrant),
          expiresAt: expiresAt!.toISOString(),
        })
      if (state === 'outside' && data.endings === endings) hub.sayEnded(socket, why ?? 'left')
      return
    }
    case 'leave': {
      const { endings } = data
      await room.leave(eventId, accountId)
      hub.end(socket, 'left')
      // A socket that never joined may give up the place another one took.
      if (data.endings === endings) hub.sayEnded(socket, 'left')
      return
    }
    case 'defer': {
      const move = await room.defer(eventId, accountId)
      return move.ok ? hub.joined(socket, move.entrant) : sendError(socket, move.refusal, move.message)
    }
  }
}

async function hello(
  context: Context,
  hub: EventHub,
  socket: Socket,
  token: string | undefined,
): Promise<void> {
  const { data } = socket
  if (token !== undefined) {
    const identity = await identifyToken(context, token)
    const other = data.accountId !== null && data.accountId !== identity?.accountId
    if (!identity || other) {
      sendError(socket, 'unauthenticated')
      return socket.close(CLOSE_CODES.unauthenticated)
    }
    if (data.accountId === null) {
      if (hub.socketsOf(identity.accountId) >= LIMITS.socketsPerAccountAndEvent)
        return socket.close(CLOSE_CODES.rate_limited, 'too many sockets')
      data.accountId = identity.accountId
      hub.identified(socket)
    }
    data.sessionId = identity.sessionId
  }
  hub.greet(socket)
}
