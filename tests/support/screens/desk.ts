// Lists the screens of whoever sells and runs: the organiser's desk, the door, the administration, the operation.
import type { Screen, Screens, Visit } from './visit.ts'

type Kind = keyof Visit['stage']['events']

const deskOf =
  (part: string, kind: Kind): Screen =>
  async (visit) =>
    visit.seeAll(
      await visit.page(visit.stage.organizer),
      `/organise/${visit.stage.events[kind].eventId}${part}`,
    )

const doorOf =
  (kind: Kind): Screen =>
  async (visit) =>
    visit.seeAll(await visit.page(visit.stage.organizer), `/door?event=${visit.stage.events[kind].eventId}`)

export const DESK: Screens = {
  '/organise': {
    'no events yet': async (visit) => visit.seeAll(await visit.page(visit.stage.newOrganizer), '/organise'),
    some: async (visit) => visit.seeAll(await visit.page(visit.stage.organizer), '/organise'),
  },
  '/organise/new': {
    asked: async (visit) => visit.seeAll(await visit.page(visit.stage.organizer), '/organise/new'),
  },
  '/organise/:eventId': {
    'a draft without seats': deskOf('', 'bare'),
    'a draft': deskOf('', 'draft'),
    published: deskOf('', 'line'),
    cancelled: deskOf('', 'cancelled'),
    'of somebody else': async (visit) =>
      visit.seeAll(
        await visit.page(visit.stage.newOrganizer),
        `/organise/${visit.stage.events.line.eventId}`,
      ),
  },
  '/organise/new/when': {
    'first step missing': async (visit) =>
      visit.seeAll(await visit.page(visit.stage.organizer), '/organise/new/when'),
  },
  '/organise/:eventId/when': { draft: deskOf('/when', 'bare'), published: deskOf('/when', 'shop') },
  '/organise/:eventId/details': {
    'of a draft': deskOf('/details', 'draft'),
    published: deskOf('/details', 'shop'),
  },
  '/organise/:eventId/seats': { none: deskOf('/seats', 'bare'), made: deskOf('/seats', 'shop') },
  '/organise/:eventId/block': {
    seats: deskOf('/block', 'shop'),
    'a row marked': async (visit) => {
      const page = await deskOf('/block', 'line')(visit)
      await page.locator('main select').nth(1).selectOption({ index: 1 })
      return page
    },
  },
  '/organise/:eventId/room': { off: deskOf('/room', 'shop'), on: deskOf('/room', 'line') },
  '/organise/:eventId/desk': {
    'of a draft': deskOf('/desk', 'draft'),
    'in the lobby': deskOf('/desk', 'lobby'),
    open: deskOf('/desk', 'line'),
    paused: deskOf('/desk', 'paused'),
    closed: deskOf('/desk', 'closed'),
  },
  '/organise/:eventId/bookings': { none: deskOf('/bookings', 'soon'), some: deskOf('/bookings', 'shop') },
  '/door': {
    'asked which': doorOf('line'),
    ready: async (visit) => {
      const page = await doorOf('shop')(visit)
      await page.locator('input[name=gate]').fill('North')
      await page.locator('form button[type=submit]').click()
      await page.locator('input[name=code]').waitFor()
      return page
    },
    'not allowed': async (visit) => visit.seeAll(await visit.page(), '/door'),
  },
  '/admin': { users: async (visit) => visit.seeAll(await visit.page(visit.stage.admin), '/admin') },
  '/admin/roles': {
    roles: async (visit) => visit.seeAll(await visit.page(visit.stage.admin), '/admin/roles'),
  },
  '/admin/operation': {
    shown: async (visit) => visit.seeAll(await visit.page(visit.stage.admin), '/admin/operation'),
  },
}
