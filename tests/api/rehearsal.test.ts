// Shows that a made-up crowd sells out a copy and nothing else, one at a time, and only where everything is a demo's own.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { listPublishedEvents } from '../../db/events.ts'
import { copyForRehearsal } from '../../db/rehearsal.ts'
import { openRehearsals, type Rehearsals } from '../../dev/up/rehearsals.ts'
import { freePort } from '../../dev/stores/process.ts'
import { START_WITHIN_MS, startApp, type AppHarness, type Person } from '../support/app-harness.ts'
import { eventually } from '../support/socket-client.ts'

const REHEARSED_MS = 40_000
const CROWD = join(import.meta.dir, '../../dev/crowd.ts')
const SEATS = 20
/** Fewer than there are seats: nobody waits for one to come back, which takes a worker. */
const BUYERS = 12

let app: AppHarness
let rehearsals: Rehearsals
beforeAll(async () => {
  const port = await freePort()
  rehearsals = openRehearsals(`http://127.0.0.1:${port}`)
  app = await startApp({ port, rehearsalUrl: rehearsals.url })
}, START_WITHIN_MS)
afterAll(async () => {
  await rehearsals.stop()
  await app.close()
}, START_WITHIN_MS)

const ask = (method: string, who: Person, body?: unknown) =>
  app.call(method, '/api/v1/dev/rehearsal', { token: who.token, ...(body ? { body } : {}) })
const seatsOf = async (eventId: string, who: Person) =>
  (await app.call('GET', `/event/${eventId}/stats`, { token: who.token })).body.data.seats
const idsOf = async (path: string, who?: Person) =>
  (await app.call('GET', path, { token: who?.token })).body.data.items.map(({ id }: { id: string }) => id)

describe('a rehearsal', () => {
  test(
    'sells out a copy while the event keeps every seat, and is its organiser’s alone',
    async () => {
      const { eventId, organizer } = await app.event({ maxSeatsPerBooking: 2, room: { activeMax: 10 } })
      const stranger = await app.person('ORGANIZER')
      expect((await ask('POST', stranger, { eventId, buyers: BUYERS })).status).toBe(403)
      expect((await ask('GET', organizer)).body.data.state).toBe('idle')

      const begun = await ask('POST', organizer, { eventId, buyers: BUYERS })
      expect(begun.status).toBe(201)
      const copy: string = begun.body.data.eventId
      expect(copy).not.toBe(eventId)
      expect((await ask('POST', organizer, { eventId, buyers: BUYERS })).status).toBe(503)
      expect((await ask('GET', stranger)).body.data).toMatchObject({ state: 'busy', eventId: null, of: null })
      expect((await ask('DELETE', stranger)).status).toBe(404)
      expect(await idsOf('/event')).not.toContain(copy)
      expect(await idsOf('/event?mine=true', organizer)).toContain(copy)
      // The worker keeps its cache true all the same.
      const kept = await listPublishedEvents(app.context.ledger.db, { limit: 200, unlisted: true })
      expect(kept.map(({ id }) => id)).toContain(copy)

      await eventually(
        'it ends',
        async () => (await ask('GET', organizer)).body.data.state === 'ended',
        REHEARSED_MS,
      )
      const { result } = (await ask('GET', organizer)).body.data
      expect(result).toMatchObject({ orderKept: true })
      expect(await seatsOf(copy, organizer)).toMatchObject({ sold: result.seatsBought })
      expect(result.seatsBought).toBeGreaterThan(BUYERS / 2)
      expect(await seatsOf(eventId, organizer)).toMatchObject({ available: SEATS, reserved: 0, sold: 0 })

      // A copy is not rehearsed itself, and the next one takes its place with all that was sold of it.
      expect((await ask('POST', organizer, { eventId: copy, buyers: BUYERS })).status).toBe(404)
      const next = await ask('POST', organizer, { eventId, buyers: BUYERS })
      expect((await app.call('GET', `/event/${copy}`)).status).toBe(404)
      const stopped = await ask('DELETE', organizer)
      expect(stopped.body.data).toMatchObject({ state: 'stopped', eventId: next.body.data.eventId })
    },
    REHEARSED_MS + START_WITHIN_MS,
  )

  test('the crowd itself buys nothing of an event that is no copy', async () => {
    const { eventId, organizer } = await app.event({ room: { activeMax: 10 } })
    const crowd = Bun.spawn(
      [process.execPath, CROWD, '--url', app.url, '--event', eventId, '--buyers', '2', '--rehearsal'],
      { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' },
    )
    expect(await new Response(crowd.stderr).text()).toContain('is no rehearsal')
    expect(await crowd.exited).toBe(1)
    expect(await seatsOf(eventId, organizer)).toMatchObject({ available: SEATS })
  })

  test('an event without seats, or with too many, is refused in words', async () => {
    const { eventId, organizer } = await app.event({ sections: [], published: false })
    const { status, body } = await ask('POST', organizer, { eventId, buyers: BUYERS })
    expect([status, body.details?.[0]?.message]).toEqual([400, 'has no seats yet'])
    const { db } = app.context.ledger
    const sections = [{ name: 'Field', tier: { name: 'One', price: 100 }, capacity: 20_001 }]
    const huge = await app.event({ organizer, sections, published: false })
    const copied = await copyForRehearsal(db, huge.eventId, { onSaleAt: new Date(), nameMax: 200 })
    expect(copied).toEqual({ ok: false, refusal: 'seats_too_many' })
  })

  test('where no demo runs there is no such route', async () => {
    const plain = await startApp({ rehearsalUrl: null }, app)
    const organizer = await plain.person('ORGANIZER')
    expect((await plain.call('GET', '/api/v1/dev/rehearsal', { token: organizer.token })).status).toBe(404)
    await plain.close()
    const external = await startApp({ rehearsalUrl: rehearsals.url, embedded: new Set(['redis']) }, app)
    expect((await external.call('GET', '/api/v1/dev/rehearsal', { token: organizer.token })).status).toBe(404)
    await external.close()
  })
})
