// Shows how each step of a line reads, so that a person understands why it flows as it does.
import { describe, expect, test } from 'bun:test'
import type { RoomStatsView } from '../../server/protocol/http.ts'
import { STEP_KINDS, type StepKind, type StepView } from '../../server/protocol/room-desk.ts'
import { sayLimitNow, sayStep } from '../../web/src/step-text.ts'

const step = (
  kind: StepKind,
  detail: StepView['detail'] = null,
  counts: Partial<StepView> = {},
): StepView => ({
  id: '1.1',
  at: '2027-01-01T10:41:07.000Z',
  kind,
  serving: 10,
  called: 0,
  claimed: 0,
  noShows: 0,
  active: 3,
  detail,
  ...counts,
})

describe('a step', () => {
  test('of any kind is one plain sentence, with nothing of the inside in it', () => {
    for (const kind of STEP_KINDS) {
      const said = sayStep(step(kind))
      expect([kind, /^[A-Z0-9].*\.$/.test(said)]).toEqual([kind, true])
      expect(said).not.toMatch(/undefined|null|NaN|_|\[object/)
    }
  })

  test('tells what slowed the line, to how much, and why', () => {
    const detail = { by: 'health', brake: 0.6, reason: 'latency:900' }
    expect(sayStep(step('limited', detail))).toBe('Slowed to 60%: reservations take 900 ms.')
    expect(sayStep(step('limited', { ...detail, reason: 'conflicts:0.35' }))).toBe(
      'Slowed to 60%: 35% of the reservations meet a seat somebody else took.',
    )
  })

  test('of calls counts who came and who did not', () => {
    expect(sayStep(step('called', null, { called: 12, claimed: 1, noShows: 2 }))).toBe(
      'Called 12 people, 1 came in, 2 did not come; 3 at the seats.',
    )
    expect(sayStep(step('called', null, { claimed: 4 }))).toBe('4 came in; 3 at the seats.')
  })

  test('of the settings names them as the form does', () => {
    const detail = {
      activeMax: ['3', '1200'],
      admitPerMinute: ['', '40'],
      enabled: ['0', '1'],
      unknown: ['1', '2'],
    }
    expect(sayStep(step('settings', detail))).toBe(
      'You changed “At the seats at the same time” from 3 to 1,200, “Let in a minute” from no limit to 40, “Let buyers in by turn” from off to on.',
    )
  })

  test('tells the limit with the figures that make it one', () => {
    const detail = { by: 'active_max', live: 3, expected: 4.6, door: 0 }
    expect(sayStep(step('limited', detail))).toBe(
      'Full: 3 at the seats, 5 called, as many as you allow at the same time.',
    )
    expect(sayStep(step('limited', { by: 'rate', perMinute: 40 }))).toBe(
      'As many as you allow a minute: 40 let in within the last one.',
    )
    expect(sayStep(step('limited', { by: 'seats', seatsFree: 9 }))).toBe(
      'Only as many are called as may find a seat: 9 free.',
    )
  })
})

test('what holds the line back now is said from the figures', () => {
  const figures = {
    limit: 'none',
    brake: 1,
    reason: null,
    active: 3,
    called: 5,
    door: 2,
    perMinute: 7,
    seatsLeft: 9,
  }
  const said = (change: object) => sayLimitNow({ ...figures, ...change } as RoomStatsView)
  expect(said({})).toBe('Nothing holds the line back.')
  expect(said({ limit: 'active_max' })).toBe(
    'Full: 3 at the seats, 3 called, 2 at the door, as many as you allow at the same time.',
  )
  expect(said({ limit: 'paused' })).toBe('Paused.')
})
