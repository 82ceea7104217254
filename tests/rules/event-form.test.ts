// Holds the organiser's form to the person who types: every mistake is said at its field, and the hall is drawn as the server will make it.
import { describe, expect, test } from 'bun:test'
import { planSections, type NewSection } from '../../db/seat-plan.ts'
import type { EventView, RoomSettingsView, SectionBody } from '../../server/protocol/http.ts'
import { layOut } from '../../server/protocol/map-layout/lay-out.ts'
import { eventProblems, saidByServer, type TypedEvent } from '../../web/src/event-rules.ts'
import { publishChecks } from '../../web/src/publish-checks.ts'
import {
  rowLabelsOf,
  rowNamesOf,
  sectionProblems,
  seatsOf,
  type TypedSection,
} from '../../web/src/section-rules.ts'
import { houseOf } from '../../web/src/state/house-preview.ts'

const NOW = Date.parse('2027-01-10T12:00:00Z')
const event: TypedEvent = {
  name: 'Winter ball',
  description: '',
  location: 'Town hall',
  startsAt: '2027-02-01T20:00',
  onSaleAt: '',
  timeZone: 'Europe/Oslo',
  currency: 'EUR',
  holdSeconds: 900,
  maxSeatsPerBooking: 6,
  maxSeatsPerBuyer: 8,
}

describe('an event', () => {
  test('as a person means it is right', () => {
    expect(eventProblems(event, NOW)).toEqual({})
    expect(eventProblems({ ...event, name: ' <b>مهرجان\u202e</b> ' }, NOW)).toEqual({})
  })

  const wrong: [string, Partial<TypedEvent>, string, RegExp][] = [
    ['a name of spaces', { name: '   ' }, 'name', /needed/],
    ['a name of 300 characters', { name: 'W'.repeat(300) }, 'name', /At most 200 characters; these are 300/],
    ['a description too long', { description: 'a'.repeat(5_001) }, 'description', /5,000/],
    ['no start', { startsAt: '' }, 'startsAt', /when it starts/],
    [
      'a start that has passed there, though not here',
      { startsAt: '2027-01-10T13:00' },
      'startsAt',
      /passed/,
    ],
    ['a sale after the start', { onSaleAt: '2027-02-01T20:00' }, 'onSaleAt', /before the event/],
    ['no seconds to pay', { holdSeconds: null }, 'holdSeconds', /5 to 3,600/],
    ['half a seat', { maxSeatsPerBuyer: 2.5 }, 'maxSeatsPerBuyer', /whole number/],
    ['more a booking than a buyer', { maxSeatsPerBooking: 9 }, 'maxSeatsPerBooking', /more than/],
  ]
  test.each(wrong)('with %s is told so at its field alone', (_what, change, field, said) => {
    const problems = eventProblems({ ...event, ...change }, NOW)
    expect(Object.keys(problems)).toEqual([field])
    expect(problems[field as keyof TypedEvent]).toMatch(said)
  })

  test('that began keeps its start, and what only the server knows is said in plain words', () => {
    const startsAt = '2026-12-01T20:00'
    expect(eventProblems({ ...event, startsAt }, NOW, startsAt)).toEqual({})
    const held = saidByServer('maxSeatsPerBuyer', 'must be at least 12: a buyer already has as many')
    expect(held).toBe('A buyer already has 12 seats: not fewer than that.')
    expect(saidByServer('name', 'must NOT have fewer than 1 characters')).not.toMatch(/NOT/)
  })
})

const section: TypedSection = {
  kind: 'seated',
  name: 'Stalls',
  tier: 'A',
  price: 45.5,
  rows: 10,
  seatsPerRow: 20,
  rowNames: 'letters',
  ownRows: '',
  numbering: 'left-to-right',
  shape: 'straight',
  capacity: 100,
}
const around = { names: new Set(['Circle']), seats: 100, digits: 2, priced: false }

describe('a section', () => {
  const wrong: [string, Partial<TypedSection>, string, RegExp][] = [
    ['no rows', { rows: 0 }, 'rows', /1 to 1,000/],
    ['a row of nothing', { seatsPerRow: null }, 'seatsPerRow', /whole number/],
    ['the name of another', { name: ' Circle ' }, 'name', /this name already/],
    ['300 characters of a tier', { tier: 'x'.repeat(300) }, 'tier', /these are 300/],
    ['more seats than an event may have', { rows: 1_000, seatsPerRow: 1_000 }, 'seatsPerRow', /1,000,100/],
    ['an area too large', { kind: 'general', capacity: 199_901 }, 'capacity', /at most 200,000/],
    ['a price of half a cent', { price: 0.005 }, 'price', /2 digits/],
    ['no price', { price: null }, 'price', /0 or more/],
    ['rows named twice', { rowNames: 'own', ownRows: 'A, B, A' }, 'ownRows', /“A” is there twice/],
    ['rows not named', { rowNames: 'own', ownRows: ' , ' }, 'ownRows', /names of the rows/],
    ['a row of a long name', { rowNames: 'own', ownRows: 'Thirteen char' }, 'ownRows', /12 characters/],
  ]
  test.each(wrong)('with %s is told so at its field alone', (_what, change, field, said) => {
    const problems = sectionProblems({ ...section, ...change }, around)
    expect(Object.keys(problems)).toEqual([field])
    expect(problems[field as keyof typeof problems]).toMatch(said)
  })

  test('of one seat is a section, and so is the last that fits', () => {
    expect(sectionProblems({ ...section, rows: 1, seatsPerRow: 1 }, around)).toEqual({})
    expect(sectionProblems({ ...section, kind: 'general', capacity: 199_900 }, around)).toEqual({})
  })

  test('has the rows it is told, and they can be typed again', () => {
    const own = { ...section, rowNames: 'own' as const, ownRows: 'AA, BB;\nCC,' }
    expect(rowLabelsOf(own)).toEqual(['AA', 'BB', 'CC'])
    expect(seatsOf(own)).toBe(60)
    expect(rowLabelsOf({ ...section, rows: 28 }).slice(24)).toEqual(['Y', 'Z', 'AA', 'AB'])
    for (const rowNames of ['letters', 'numbers', 'own'] as const)
      expect(rowNamesOf(rowLabelsOf({ ...own, rowNames }))).toBe(rowNames)
  })
})

const rows = (name: string, tier: string, shape: 'straight' | 'arc', count = 3): SectionBody => {
  const rowLabels = Array.from({ length: count }, (_, at) => String(at + 1))
  const price = tier === 'A' ? 100 : 50
  return {
    name,
    tier: { name: tier, price },
    rows: count,
    seatsPerRow: 7,
    rowLabels,
    numbering: 'odd-even',
    shape,
  }
}
const area: SectionBody = { name: 'Floor', tier: { name: 'B', price: 50 }, capacity: 12 }
/** As the server makes it of all sections at once. */
function served(sections: SectionBody[]) {
  const known = { currency: 'EUR', seatCount: 0, tiers: [], sections: [] }
  const plan = planSections(known, sections as NewSection[])
  expect(plan.problems).toEqual([])
  const seatCount = plan.sections.reduce((sum, one) => sum + one.seatCount, 0)
  return layOut({ mapVersion: 0, seatCount, currency: 'EUR', tiers: plan.tiers, sections: plan.sections })
}

describe('the hall drawn beside the form', () => {
  test('is the one the server makes, section by section and after each change', () => {
    const steps: { put: SectionBody; instead: string | null; now: SectionBody[] }[] = [
      { put: rows('Stalls', 'A', 'straight'), instead: null, now: [rows('Stalls', 'A', 'straight')] },
      { put: area, instead: null, now: [rows('Stalls', 'A', 'straight'), area] },
      {
        put: rows('Circle', 'A', 'arc', 5),
        instead: null,
        now: [rows('Stalls', 'A', 'straight'), area, rows('Circle', 'A', 'arc', 5)],
      },
      {
        put: rows('Front', 'B', 'arc', 2),
        instead: 'Stalls',
        now: [rows('Front', 'B', 'arc', 2), area, rows('Circle', 'A', 'arc', 5)],
      },
    ]
    let map = null
    for (const { put, instead, now } of steps) {
      const house = houseOf(map, 'EUR')
      house.put(put, instead)
      map = layOut(house.view)
      expect(map).toEqual(served(now))
    }
  })
})

describe('what is said before publishing', () => {
  const draft = {
    id: 'e',
    status: 'DRAFT',
    description: 'A ball.',
    startsAt: '2027-02-01T19:00:00Z',
    onSaleAt: '2027-01-20T09:00:00Z',
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    currency: 'EUR',
    seats: { total: 300, available: 300 },
    tiers: [{ name: 'A', price: { amount: 4_500, currency: 'EUR' } }],
    holdSeconds: 900,
    maxSeatsPerBooking: 6,
    maxSeatsPerBuyer: 8,
  } as EventView
  const room = {
    enabled: true,
    activeMax: 50,
    admitPerMinute: null,
    passSeconds: 600,
  } as RoomSettingsView
  const found = (change: Partial<EventView>, settings: Partial<RoomSettingsView> = {}) =>
    publishChecks({ ...draft, ...change }, { ...room, ...settings }, NOW).filter(
      ({ level }) => level !== 'fine',
    )

  test('is nothing but what is in order when all is well', () => {
    expect(found({})).toEqual([])
    expect(publishChecks(draft, room, NOW).length).toBeGreaterThan(4)
  })

  const empty = { total: 0, available: 0 }
  const big = { total: 40_000, available: 40_000 }
  const free = [{ name: 'Guests', price: { amount: 0, currency: 'EUR' } }]
  const told: [string, Partial<EventView>, Partial<RoomSettingsView>, string, string][] = [
    ['no seats', { seats: empty }, {}, 'blocker', 'seats'],
    ['a start that has passed', { startsAt: '2027-01-01T19:00:00Z' }, {}, 'blocker', 'when?field=startsAt'],
    ['a start in a far year', { startsAt: '2207-01-01T19:00:00Z' }, {}, 'warning', 'when?field=startsAt'],
    ['no time for the sale', { onSaleAt: null }, {}, 'warning', 'when?field=onSaleAt'],
    ['another zone than here', { timeZone: 'Pacific/Kiritimati' }, {}, 'warning', 'when?field=timeZone'],
    ['every seat off sale', { seats: { total: 300, available: 0 } }, {}, 'warning', 'block'],
    ['seats for nothing', { tiers: free }, {}, 'warning', 'seats'],
    ['seconds to pay', { holdSeconds: 5 }, {}, 'warning', 'when?field=holdSeconds'],
    ['an hour to pay', { holdSeconds: 3_600 }, {}, 'warning', 'when?field=holdSeconds'],
    ['half a house for one', { maxSeatsPerBuyer: 150 }, {}, 'warning', 'when?field=maxSeatsPerBuyer'],
    ['no words', { description: ' ' }, {}, 'warning', 'details?field=description'],
    ['a big house without a line', { seats: big }, { enabled: false }, 'warning', 'room'],
    ['more people than seats', {}, { activeMax: 301 }, 'warning', 'room'],
    ['a line that takes days', { seats: big }, { activeMax: 1 }, 'warning', 'room'],
    ['a rate that takes days', { seats: big }, { activeMax: 5_000, admitPerMinute: 1 }, 'warning', 'room'],
    ['seconds at the seats', {}, { passSeconds: 30 }, 'warning', 'room'],
  ]
  test.each(told)(
    'tells of %s, with the way to where it is mended',
    (_what, change, settings, expected, path) => {
      expect(found(change, settings).map(({ level, href }) => [level, href])).toEqual([
        [expected, `/organise/e/${path}`],
      ])
    },
  )

  test('leaves out what is not known of the line, and what publishing has settled', () => {
    expect(publishChecks({ ...draft, seats: big }, null, NOW).some(({ href }) => href.endsWith('room'))).toBe(
      false,
    )
    const published = { status: 'PUBLISHED', onSaleAt: null } as const
    expect(found(published)).toEqual([])
  })
})
