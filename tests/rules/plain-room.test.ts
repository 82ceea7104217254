// Shows that the waiting room without JavaScript tells times as a clock at the event does, with the zone's name.
import { beforeAll, expect, test } from 'bun:test'
import { buildWeb } from '../../dev/up/web-build.ts'
import { createPlainRoom } from '../../server/plain-room.ts'

const EVENT_ID = '0199d0c0-0000-7000-8000-000000000000'
const ROOM = `/api/v1/event/${EVENT_ID}/room`
const BUILD_MS = 180_000
// Its words are written by the build.
beforeAll(() => buildWeb(), BUILD_MS)

const waiting = {
  state: 'waiting',
  ahead: 3,
  claimBefore: null,
  pollMs: 5_000,
  room: { phase: 'open', serverTime: '2027-04-15T13:00:05.000Z' },
}
const called = { ...waiting, state: 'called', claimBefore: '2027-04-15T23:30:00.000Z' }

async function page(me: object, language: string, event: Response): Promise<string> {
  const path = `/events/${EVENT_ID}/room`
  const show = createPlainRoom({
    publicUrl: 'http://onsale.test',
    ask: (_request, asked) =>
      Promise.resolve(asked === `${ROOM}/me` ? Response.json({ data: me }) : event.clone()),
  })
  const request = new Request(`http://onsale.test${path}?plain`, { headers: { 'accept-language': language } })
  return (await show(request, path))!.text()
}
const inJakarta = Response.json({ data: { timeZone: 'Asia/Jakarta' } })

test('the time of a place and the end of a turn are the event’s', async () => {
  expect(await page(waiting, 'en', inJakarta)).toContain('As of 20:00:05 GMT+7.')
  expect(await page(called, 'en', inJakarta)).toContain('Come in before 06:30:00 GMT+7.')
  expect(await page(waiting, 'id', inJakarta)).toContain('20.00.05 WIB')
})

test('while the event is not told, the zone is still named', async () => {
  const broken = new Response('', { status: 503 })
  expect(await page(waiting, 'en', broken)).toContain('As of 13:00:05 UTC.')
})
