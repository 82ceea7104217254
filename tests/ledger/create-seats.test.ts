// Holds bulk creation of seats to its promises: all or none, unique, repeatable, and fast at house size.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { connectLedger, type Ledger } from '../../db/client.ts'
import { createEvent, getEvent } from '../../db/events.ts'
import { createSeats, listSeats, readAvailability, type NewSection } from '../../db/seats.ts'
import { accounts, seats } from '../../db/schema.ts'
import { freshStores, type FreshStores } from '../support/stores.ts'

let stores: FreshStores
let ledger: Ledger
let ownerId: string

beforeAll(async () => {
  stores = await freshStores()
  ledger = connectLedger(stores.databaseUrl, { max: 4, name: 'create-seats-test' })
  ownerId = Bun.randomUUIDv7()
  await ledger.db
    .insert(accounts)
    .values({ id: ownerId, email: 'owner@example.test', verifiedAt: new Date() })
})
afterAll(async () => {
  await ledger.close()
  await stores.close()
})

const ONE_DAY_MS = 86_400_000
async function newEvent(): Promise<string> {
  const made = await createEvent(ledger.db, {
    ownerId,
    name: 'Night of strings',
    location: 'Old hall',
    startsAt: new Date(Date.now() + ONE_DAY_MS),
    currency: 'EUR',
    timeZone: 'Europe/Berlin',
  })
  if (!made.ok) throw new Error(made.refusal)
  return made.event.id
}

const stalls: NewSection = { name: 'Stalls', tier: { name: 'A', price: 5000 }, rows: 3, seatsPerRow: 4 }
const floor: NewSection = { name: 'Floor', tier: { name: 'Standing', price: 3000 }, capacity: 10 }

describe('creating seats in bulk', () => {
  test('makes rows and places in map order, with labels, tiers and a new map version', async () => {
    const eventId = await newEvent()
    expect(await createSeats(ledger.db, eventId, [stalls, floor])).toEqual({
      ok: true,
      created: 22,
      total: 22,
      mapVersion: 1,
    })
    const rows = await listSeats(ledger.db, { eventId, limit: 200 })
    expect(rows.map((seat) => seat.n)).toEqual(Array.from({ length: 22 }, (_, n) => n))
    expect(rows[5]).toEqual({
      n: 5,
      section: 'Stalls',
      row: 'B',
      number: '2',
      tier: 'A',
      price: 5000,
      status: 'AVAILABLE',
      access: 'standard',
    })
    expect(rows[12]).toMatchObject({ section: 'Floor', row: null, number: null, tier: 'Standing' })
  })

  test('repeating the same request creates nothing and keeps the map', async () => {
    const eventId = await newEvent()
    await createSeats(ledger.db, eventId, [stalls, floor])
    expect(await createSeats(ledger.db, eventId, [stalls, floor])).toMatchObject({
      created: 0,
      mapVersion: 1,
    })
    const third: NewSection = { name: 'Balcony', tier: { name: 'A', price: 5000 }, rows: 1, seatsPerRow: 2 }
    expect(await createSeats(ledger.db, eventId, [stalls, third])).toMatchObject({ created: 2, total: 24 })
  })

  test('twenty of the same request at once create the seats once', async () => {
    const eventId = await newEvent()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => createSeats(ledger.db, eventId, [stalls])),
    )
    const created = answers.map((answer) => answer.ok && answer.created)
    expect(created.filter((count) => count === 0)).toHaveLength(19)
    expect(created).toContain(12)
    expect((await getEvent(ledger.db, eventId)).seatCount).toBe(12)
  })

  test('refuses what contradicts what exists, and then creates nothing of the request', async () => {
    const eventId = await newEvent()
    await createSeats(ledger.db, eventId, [stalls])
    const refused = async (section: NewSection, path: string) => {
      const fresh: NewSection = { name: 'Box', tier: { name: 'Box', price: 1 }, capacity: 2 }
      const answer = await createSeats(ledger.db, eventId, [fresh, section])
      expect(answer).toMatchObject({ ok: false, refusal: 'request_invalid' })
      if (!answer.ok && answer.refusal === 'request_invalid')
        expect(answer.problems.map((problem) => problem.path)).toContain(path)
    }
    await refused({ ...stalls, rows: 4 }, '/sections/1/name')
    await refused({ ...stalls, numbering: 'odd-even' }, '/sections/1/name')
    await refused({ ...stalls, name: 'Circle', tier: { name: 'A', price: 6000 } }, '/sections/1/tier/price')
    await refused(
      { ...floor, tier: { name: 'B', price: { amount: 1, currency: 'USD' } } },
      '/sections/1/tier/price/currency',
    )
    await refused({ ...floor, name: 'Box' }, '/sections/1/name')
    await refused({ ...stalls, name: 'Circle', rowLabels: ['A', 'A', 'B'] }, '/sections/1/rowLabels')
    await refused({ ...stalls, name: 'Circle', rowLabels: ['A'] }, '/sections/1/rowLabels')
    await refused({ ...floor, capacity: 200_000 }, '/sections')
    expect((await getEvent(ledger.db, eventId)).seatCount).toBe(12)
    expect((await getEvent(ledger.db, eventId)).sections).toHaveLength(1)
  })

  test('numbers rows from either side, and odd from even as theatres do', async () => {
    const eventId = await newEvent()
    const tier = { name: 'A', price: 1 }
    const shape = { tier, rows: 1, seatsPerRow: 5 }
    await createSeats(ledger.db, eventId, [
      { name: 'L', ...shape, numbering: 'left-to-right' },
      { name: 'R', ...shape, numbering: 'right-to-left' },
      { name: 'O', ...shape, numbering: 'odd-even' },
    ])
    const rows = await listSeats(ledger.db, { eventId, limit: 200 })
    expect(rows.map((seat) => seat.number).join(' ')).toBe('1 2 3 4 5 5 4 3 2 1 5 3 1 2 4')
  })

  test('the table itself refuses a second seat with the same section, row and number', async () => {
    const eventId = await newEvent()
    await createSeats(ledger.db, eventId, [stalls])
    const twin = ledger.db
      .insert(seats)
      .values({ eventId, n: 100, sectionId: 0, rowLabel: 'A', seatLabel: '1', tierId: 0 })
      .execute()
    expect(twin).rejects.toThrow()
  })

  test('100,000 seats are made in one request within 10 s, and read back as 100,000 codes', async () => {
    const eventId = await newEvent()
    const blocks = Array.from({ length: 50 }, (_, at): NewSection => ({
      name: `Block ${at + 1}`,
      tier: { name: `Tier ${at % 5}`, price: 1000 * (1 + (at % 5)) },
      rows: 40,
      seatsPerRow: 50,
      numbering: 'odd-even',
      shape: 'arc',
    }))
    const began = performance.now()
    expect(await createSeats(ledger.db, eventId, blocks)).toMatchObject({ ok: true, created: 100_000 })
    const tookMs = performance.now() - began
    console.log(`100,000 seats in ${Math.round(tookMs)} ms`)
    expect(tookMs).toBeLessThan(10_000)

    await ledger.db
      .update(seats)
      .set({ status: 'BLOCKED', blockedReason: 'camera' })
      .where(sql`${eq(seats.eventId, eventId)} and n = 99999`)
    const readFrom = performance.now()
    const read = await readAvailability(ledger.db, eventId)
    console.log(`availability of 100,000 read in ${Math.round(performance.now() - readFrom)} ms`)
    expect(read?.total).toBe(100_000)
    expect(read?.codes[99_998]).toBe(0)
    expect(read?.codes[99_999]).toBe(3)
  }, 60_000)

  test('an unknown event is not found, an unknown id too', async () => {
    expect(await createSeats(ledger.db, Bun.randomUUIDv7(), [stalls])).toEqual({
      ok: false,
      refusal: 'not_found',
    })
    expect(await createSeats(ledger.db, 'nonsense', [stalls])).toEqual({ ok: false, refusal: 'not_found' })
    expect(await readAvailability(ledger.db, 'nonsense')).toBeNull()
  })
})
