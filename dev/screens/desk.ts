// Takes the pictures of the organiser's desk and the administration, the cockpit while a made-up crowd buys.
import type { Studio } from './studio.ts'

const CROWD = 600
/** Into the sale: the lobby is over, the curves have a shape. */
const INTO_SALE_MS = 22_000

export async function shoot(studio: Studio): Promise<void> {
  const { api, demo, page, run, token } = studio
  const organizer = await token(demo('ORGANIZER'))
  const eventId = run.demo!.eventId
  const desk = await page({ account: demo('ORGANIZER') })
  const go = async (path: string, name: string) => {
    await desk.goto(run.url + path)
    await desk.waitForLoadState('networkidle')
    await studio.shoot(name, desk)
  }
  await go('/organise', 'events')
  await go('/organise/new', 'new')
  for (const part of ['details', 'seats', 'block', 'room', 'bookings'])
    await go(`/organise/${eventId}/${part}`, part)
  await go(`/organise/${eventId}`, 'overview')

  const body = { eventId, buyers: CROWD }
  const rehearsal = await api<{ eventId: string }>('POST', '/dev/rehearsal', organizer, body)
  await desk.goto(`${run.url}/organise/${rehearsal.eventId}/desk`)
  await desk.waitForTimeout(INTO_SALE_MS)
  await studio.shoot('cockpit', desk)
  await api('DELETE', '/dev/rehearsal', organizer)
  await desk.context().close()

  const admin = await page({ account: demo('ADMIN') })
  for (const [path, name] of [
    ['/admin', 'users'],
    ['/admin/roles', 'roles'],
    ['/admin/operation', 'operation'],
  ] as const) {
    await admin.goto(run.url + path)
    await admin.waitForLoadState('networkidle')
    await studio.shoot(name, admin)
  }
  await admin.context().close()
}
