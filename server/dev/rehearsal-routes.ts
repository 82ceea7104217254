// Owns the routes of a rehearsal: a made-up crowd sells out a copy of one's event, never the event itself.
import { Elysia } from 'elysia'
import { copyForRehearsal, REHEARSAL_SEATS_MAX, type Rehearsal } from '../../db/rehearsal.ts'
import { findRoom } from '../../db/rooms.ts'
import { accessPlugin, type Identity } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { invalid, Refusal, reply } from '../errors.ts'
import { getManaged } from '../events/owned.ts'
import { describe } from '../http-docs.ts'
import { LIMITS } from '../protocol/codes.ts'
import { RehearsalBody, RehearsalView } from '../protocol/http.ts'
import { MANAGE } from '../room/managed.ts'
import { rehearsalDoor, underWay, type RehearsalRun } from './rehearsal-door.ts'

/** Time for the crowd to be made and to gather in the lobby, so that the draw is seen. */
const lobbySeconds = (buyers: number) => 4 + buyers / 200
/** Selling out is meant to take about so long, whatever the size of the house; a busy machine takes longer. */
const saleSeconds = (buyers: number) => Math.min(40, 4 + buyers / 10)
const THINK_SECONDS = { least: 0.3, most: 8 }
/** Looking, and half of it again before paying. */
const STAY_PER_THINK = 1.5
const PARTY_MAX = 4

export const rehearsalRoutes = (context: Context, url: string) => {
  const door = rehearsalDoor(url)
  return new Elysia({ prefix: '/rehearsal' })
    .use(accessPlugin(context))
    .get(
      '/',
      async ({ identity }) => reply(200, 'The latest rehearsal', viewFor(identity, await door.look())),
      {
        access: MANAGE,
        detail: describe({
          summary: 'The latest rehearsal',
          description: '`busy` while another organiser’s is under way; one at a time. Only in a demo.',
          tag: 'Operations',
          access: MANAGE,
          success: { status: 200, data: RehearsalView, description: 'Where it stands, or how it went.' },
          codes: ['store_unavailable'],
        }),
      },
    )
    .post(
      '/',
      async ({ body, identity, set }) => {
        const event = await getManaged(context, identity, body.eventId)
        if ((await door.look()).state === 'running') throw underWay()
        const copy = await copyOf(context, event.id, body.buyers)
        const run = await door.start({
          ...(await pace(context, copy, { ...event, buyers: body.buyers })),
          eventId: copy.eventId,
          of: event.id,
          ownerId: event.ownerId,
          onSaleAt: copy.onSaleAt.toISOString(),
          buyers: body.buyers,
        })
        set.status = 201
        return reply(201, 'The crowd is on its way', viewFor(identity, run))
      },
      {
        body: RehearsalBody,
        access: MANAGE,
        detail: describe({
          summary: 'Rehearse a sale with a made-up crowd',
          description: `Copies the event with its seats (at most ${REHEARSAL_SEATS_MAX}) and room settings, opens the copy’s lobby, and sends the crowd. The event itself is never touched; the copy is on no list, and takes the place of its owner’s earlier copies. \`overloaded\` while one is under way. Only in a demo.`,
          tag: 'Operations',
          access: MANAGE,
          success: { status: 201, data: RehearsalView, description: 'It has begun.' },
          codes: ['not_found', 'overloaded', 'store_unavailable'],
          body: true,
        }),
      },
    )
    .delete(
      '/',
      async ({ identity }) => {
        const run = await door.look()
        if (run.state !== 'running' || !isTheirs(identity, run)) throw new Refusal('not_found')
        return reply(200, 'The crowd goes home', viewFor(identity, await door.stop()))
      },
      {
        access: MANAGE,
        detail: describe({
          summary: 'Stop the rehearsal',
          tag: 'Operations',
          access: MANAGE,
          success: { status: 200, data: RehearsalView, description: 'The crowd has left; the copy stays.' },
          codes: ['not_found', 'origin_refused', 'store_unavailable'],
        }),
      },
    )
}

async function copyOf(context: Context, eventId: string, buyers: number): Promise<Rehearsal> {
  const onSaleAt = new Date(Date.now() + lobbySeconds(buyers) * 1_000)
  const outcome = await copyForRehearsal(context.ledger.db, eventId, { onSaleAt, nameMax: LIMITS.nameMax })
  if (outcome.ok) {
    await context.room.configure(outcome.rehearsal.eventId)
    return outcome.rehearsal
  }
  if (outcome.refusal === 'not_found') throw new Refusal('not_found')
  throw invalid(
    '/eventId',
    outcome.refusal === 'no_seats'
      ? 'has no seats yet'
      : `has more than ${REHEARSAL_SEATS_MAX} seats, too many for a rehearsal`,
  )
}

/** How long each looks, so that the seats last about as long as one likes to watch. */
async function pace(
  context: Context,
  copy: Rehearsal,
  { buyers, ...limits }: { buyers: number; maxSeatsPerBooking: number; maxSeatsPerBuyer: number },
) {
  const partyMax = Math.min(PARTY_MAX, limits.maxSeatsPerBooking, limits.maxSeatsPerBuyer)
  const admissions = Math.min(buyers, copy.seats / ((1 + partyMax) / 2))
  const atOnce = (await findRoom(context.ledger.db, copy.eventId))?.activeMax ?? buyers
  const thinkSeconds = (Math.min(atOnce, buyers) * saleSeconds(buyers)) / admissions / STAY_PER_THINK
  return { partyMax, thinkSeconds: Math.min(THINK_SECONDS.most, Math.max(THINK_SECONDS.least, thinkSeconds)) }
}

const isTheirs = ({ accountId, permissions }: Identity, { plan }: RehearsalRun) =>
  plan?.ownerId === accountId || permissions.has('user:manage')

function viewFor(identity: Identity, run: RehearsalRun): RehearsalView {
  const shown = isTheirs(identity, run) ? run : null
  return {
    state: shown?.state ?? (run.state === 'running' ? 'busy' : 'idle'),
    eventId: shown?.plan?.eventId ?? null,
    of: shown?.plan?.of ?? null,
    buyers: shown?.plan?.buyers ?? 0,
    startedAt: shown?.startedAt ?? null,
    onSaleAt: shown?.plan?.onSaleAt ?? null,
    progress: shown?.progress ?? null,
    result: shown?.result ?? null,
  }
}
