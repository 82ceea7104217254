// Owns the room over HTTP for whoever waits: the same moves as the socket's, on the same state.
import { Elysia } from 'elysia'
import { accessPlugin, type Identity } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { Refusal, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { ChallengeProof, ChallengeView, EntrantView, JoinBody, RoomView } from '../protocol/http.ts'
import { requireRate } from '../rate-limit.ts'
import { enterRoom } from './entry.ts'
import { drawRoutes } from './draw-routes.ts'
import { lookAtRoom } from './look.ts'
import { organiserRoutes } from './organiser-routes.ts'
import { DEFER_PLACES, type Move } from './room.ts'
import { entrantView, roomView } from './view.ts'

export const roomRoutes = (context: Context) =>
  new Elysia()
    .use(lookRoutes(context))
    .use(drawRoutes(context))
    .use(moveRoutes(context))
    .use(challengeRoutes(context))
    .use(organiserRoutes(context))

const lookRoutes = (context: Context) =>
  new Elysia({ prefix: '/event/:eventId/room' }).get(
    '/',
    async ({ params }) => reply(200, 'The room', roomView(await lookAtRoom(context, params.eventId))),
    {
      detail: describe({
        summary: 'The waiting room of an event',
        tag: 'Room',
        access: 'anyone',
        success: { status: 200, data: RoomView, description: 'At most half a second old.' },
        codes: ['not_found'],
      }),
    },
  )

const moveRoutes = (context: Context) => {
  const { room } = context
  /** Where the caller stands after a move, as every move answers it. */
  const standing = async (eventId: string, move: Move) => {
    if (!move.ok) throw new Refusal(move.refusal, move.message ? { message: move.message } : {})
    return entrantView(room, await look(eventId), move.entrant)
  }
  const look = (eventId: string) => lookAtRoom(context, eventId)
  const moving = async (eventId: string, { accountId }: Identity) => {
    await requireRate(context, { name: 'room', key: accountId })
    await look(eventId)
    return accountId
  }
  return new Elysia({ prefix: '/event/:eventId/room' })
    .use(accessPlugin(context))
    .post(
      '/join',
      async ({ params, body, identity, request }) => {
        const accountId = await moving(params.eventId, identity)
        const { ticket = '' } = body ?? {}
        const address = context.addressOf(request)
        const move = await enterRoom(context, { eventId: params.eventId, accountId, address, ticket })
        return reply(200, 'You are in the line', await standing(params.eventId, move))
      },
      {
        body: JoinBody,
        access: 'user',
        detail: describe({
          summary: 'Enter the line, or come back to your place',
          description:
            'Joining twice is the same place. Without a socket, ask `me` again after `pollMs`: who has not asked for a minute has left.',
          tag: 'Room',
          access: 'user',
          success: { status: 200, data: EntrantView, description: 'Where you stand.' },
          codes: ['not_found', 'event_not_on_sale'],
          body: true,
        }),
      },
    )
    .get(
      '/me',
      async ({ params, identity }) => {
        const snapshot = await look(params.eventId)
        let entrant = await room.entrant(params.eventId, identity.accountId, { present: true })
        if (entrant.state === 'called' && snapshot.doorSeconds === 0) {
          const move = await room.claim(params.eventId, identity.accountId)
          if (move.ok) entrant = move.entrant
        }
        return reply(200, 'Where you stand', await entrantView(room, snapshot, entrant))
      },
      {
        access: 'user',
        detail: describe({
          summary: 'Where you stand in the line',
          description: 'Admits at once when your turn needs no claim (`doorSeconds` 0).',
          tag: 'Room',
          access: 'user',
          success: { status: 200, data: EntrantView, description: 'Where you stand.' },
          codes: ['not_found'],
        }),
      },
    )
    .post(
      '/claim',
      async ({ params, identity }) => {
        const accountId = await moving(params.eventId, identity)
        const move = await room.takeTurn(params.eventId, accountId)
        return reply(200, 'Where you stand', await standing(params.eventId, move))
      },
      {
        access: 'user',
        detail: describe({
          summary: 'Take your turn',
          description:
            'A repeat answers the same pass. `called` without `claimBefore` means: taken, the pass follows as soon as one is free. `challenge_required`: solve the challenge first, the turn runs on.',
          tag: 'Room',
          access: 'user',
          success: { status: 200, data: EntrantView, description: 'Where you stand.' },
          codes: ['not_found', 'origin_refused', 'request_invalid', 'challenge_required'],
        }),
      },
    )
    .post(
      '/defer',
      async ({ params, identity }) => {
        const accountId = await moving(params.eventId, identity)
        const move = await room.defer(params.eventId, accountId)
        return reply(200, 'You have stepped back', await standing(params.eventId, move))
      },
      {
        access: 'user',
        detail: describe({
          summary: 'Step back once, when called',
          description: `Frees the turn at once; ${DEFER_PLACES} others go first.`,
          tag: 'Room',
          access: 'user',
          success: { status: 200, data: EntrantView, description: 'Where you stand.' },
          codes: ['not_found', 'origin_refused', 'request_invalid'],
        }),
      },
    )
    .post(
      '/leave',
      async ({ params, identity }) => {
        const accountId = await moving(params.eventId, identity)
        const left = await room.leave(params.eventId, accountId)
        const move = left.ok ? { ...left, entrant: { ...left.entrant, why: 'left' as const } } : left
        return reply(200, 'You have left', await standing(params.eventId, move))
      },
      {
        access: 'user',
        detail: describe({
          summary: 'Give your place or your admission up',
          tag: 'Room',
          access: 'user',
          success: { status: 200, data: EntrantView, description: 'You are outside.' },
          codes: ['not_found', 'origin_refused'],
        }),
      },
    )
}

const challengeRoutes = (context: Context) => {
  const { room } = context
  /** Asking costs a derivation, so it is counted like a move. */
  const counted = async (eventId: string, { accountId }: Identity) => {
    await requireRate(context, { name: 'room', key: accountId })
    await lookAtRoom(context, eventId)
    return accountId
  }
  return new Elysia({ prefix: '/event/:eventId/room' })
    .use(accessPlugin(context))
    .get(
      '/challenge',
      async ({ params, identity }) => {
        const accountId = await counted(params.eventId, identity)
        const { required, challenge } = await room.challengeOf(params.eventId, accountId)
        return reply(200, required ? 'Solve this before you claim' : 'Nothing to solve', {
          required,
          challenge,
        })
      },
      {
        access: 'user',
        detail: describe({
          summary: 'What to solve before claiming',
          description:
            'A proof of work for the device, none for the person: altcha-lib solves it. Made for this account, event and place; lives ten minutes. Ask after joining, so that it is done before your turn.',
          tag: 'Room',
          access: 'user',
          success: { status: 200, data: ChallengeView, description: 'A fresh challenge, or null.' },
          codes: ['not_found'],
        }),
      },
    )
    .post(
      '/challenge',
      async ({ params, body, identity }) => {
        const accountId = await counted(params.eventId, identity)
        const proved = await room.prove(params.eventId, accountId, body)
        if (!proved.ok) throw new Refusal(proved.refusal, { message: proved.message })
        return reply(200, 'Solved', { required: false, challenge: null })
      },
      {
        body: ChallengeProof,
        access: 'user',
        detail: describe({
          summary: 'Hand in the solved challenge',
          description: 'Each challenge counts once, in time, and for the place it was made for.',
          tag: 'Room',
          access: 'user',
          success: { status: 200, data: ChallengeView, description: 'Nothing is owed any more.' },
          codes: ['not_found'],
          body: true,
        }),
      },
    )
}
