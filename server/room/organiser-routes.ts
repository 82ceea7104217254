// Owns the room over HTTP for whoever runs the event: settings, controls, the notice, the figures.
import { Elysia } from 'elysia'
import type { RoomControl } from '../../db/lifecycle.ts'
import { saveNotice, saveRoom, setRoomControl, type RoomSettings } from '../../db/rooms.ts'
import { accessPlugin, type Identity } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { requireInstant } from '../instant.ts'
import {
  NoticeBody,
  NoticeView,
  RoomBody,
  RoomSettingsView,
  RoomStatsView,
  RoomView,
} from '../protocol/http.ts'
import { deskRoutes } from './desk-routes.ts'
import { lookAtRoom } from './look.ts'
import { MANAGE, managedRoom } from './managed.ts'
import { priorityRoutes } from './priority-routes.ts'
import { roomStats, roomView, settingsView } from './view.ts'

const CONTROLS = {
  open: 'Open the room now, and with it the sale, whatever the clock says',
  pause: 'Stop admitting; turns and lost connections do not run out meanwhile',
  resume: 'Go on after a pause',
  close: 'Close the room: every place ends, the admitted may finish',
} as const
type Verb = keyof typeof CONTROLS

export const organiserRoutes = (context: Context) =>
  new Elysia()
    .use(settingRoutes(context))
    .use(controlRoutes(context))
    .use(priorityRoutes(context))
    .use(deskRoutes(context))

const settingRoutes = (context: Context) => {
  const { room } = context
  return new Elysia({ prefix: '/event/:eventId/room' })
    .use(accessPlugin(context))
    .put(
      '/',
      async ({ params, body, identity }) => {
        await managedRoom(context, params.eventId, identity)
        await saveRoom(context.ledger.db, params.eventId, {
          ...body,
          lobbyAt: body.lobbyAt ? requireInstant('/lobbyAt', body.lobbyAt) : null,
          admitPerMinute: body.admitPerMinute ?? null,
        })
        await room.configure(params.eventId)
        return reply(
          200,
          'The room has been set',
          settingsView(await managedRoom(context, params.eventId, identity)),
        )
      },
      {
        body: RoomBody,
        access: MANAGE,
        detail: describe({
          summary: 'Set the room',
          description: 'Valid at any phase; every server follows within a second.',
          tag: 'Room',
          access: MANAGE,
          success: { status: 200, data: RoomSettingsView, description: 'The settings in force.' },
          codes: ['not_found'],
          body: true,
        }),
      },
    )
    .post(
      '/notice',
      async ({ params, body, identity }) => {
        await managedRoom(context, params.eventId, identity)
        const { noticeId } = await saveNotice(context.ledger.db, params.eventId, body.text)
        await room.configure(params.eventId)
        return reply(200, 'Everyone has been told', { id: String(noticeId), text: body.text })
      },
      {
        body: NoticeBody,
        access: MANAGE,
        detail: describe({
          summary: 'Say something to everyone in the room',
          tag: 'Room',
          access: MANAGE,
          success: {
            status: 200,
            data: NoticeView,
            description: 'Sent to every open page, and shown to whoever comes later.',
          },
          codes: ['not_found'],
          body: true,
        }),
      },
    )
    .get(
      '/stats',
      async ({ params, identity }) => {
        const settings = await managedRoom(context, params.eventId, identity)
        return reply(
          200,
          'The line in figures',
          await roomStats(context.redis, await lookAtRoom(context, params.eventId), settings),
        )
      },
      {
        access: MANAGE,
        detail: describe({
          summary: 'The line in figures',
          tag: 'Room',
          access: MANAGE,
          success: {
            status: 200,
            data: RoomStatsView,
            description: 'Waits are of the latest 1,000 admissions; `settings` are the ones in force.',
          },
          codes: ['not_found'],
        }),
      },
    )
}

const controlRoutes = (context: Context) =>
  new Elysia({ prefix: '/event/:eventId/room' })
    .use(accessPlugin(context))
    .post(
      '/open',
      ({ params, identity }) => control(context, 'open', params.eventId, identity),
      asControl('open'),
    )
    .post(
      '/pause',
      ({ params, identity }) => control(context, 'pause', params.eventId, identity),
      asControl('pause'),
    )
    .post(
      '/resume',
      ({ params, identity }) => control(context, 'resume', params.eventId, identity),
      asControl('resume'),
    )
    .post(
      '/close',
      ({ params, identity }) => control(context, 'close', params.eventId, identity),
      asControl('close'),
    )

const asControl = (verb: Verb) =>
  ({
    access: MANAGE,
    detail: describe({
      summary: CONTROLS[verb],
      tag: 'Room',
      access: MANAGE,
      success: { status: 200, data: RoomView, description: 'The room as it is now.' },
      codes: ['not_found', 'origin_refused'],
    }),
  }) as const

async function control(context: Context, verb: Verb, eventId: string, identity: Identity) {
  const settings = await managedRoom(context, eventId, identity)
  await setRoomControl(context.ledger.db, eventId, await controlOf(context, verb, settings))
  await context.room.configure(eventId)
  return reply(200, 'The room has been told', roomView(await lookAtRoom(context, eventId)))
}

/** Going on after a pause leaves the rest to the clock, unless the room had been opened before its time. */
async function controlOf({ room }: Context, verb: Verb, settings: RoomSettings): Promise<RoomControl> {
  if (verb === 'open') return 'open'
  if (verb === 'pause') return 'paused'
  if (verb === 'close') return 'closed'
  if (settings.control === 'auto' || settings.control === 'open') return settings.control
  return (await room.view(settings.eventId))?.opened ? 'open' : 'auto'
}
