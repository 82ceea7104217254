// Holds written times to the moments they name, and to those that exist.
import { expect, test } from 'bun:test'
import { instantOf, requireInstant } from '../../server/instant.ts'

test('a date with a time and a zone names a moment', () => {
  const moment = '2027-04-15T12:00:00.000Z'
  for (const text of [moment, '2027-04-15T12:00Z', '2027-04-15t12:00:00z', '2027-04-15T14:00:00.000+02:00'])
    expect(instantOf(text).toISOString()).toBe(moment)
  expect(instantOf('2028-02-29T00:00:00Z').toISOString()).toBe('2028-02-29T00:00:00.000Z')
})

test.each([
  ['nothing', ''],
  ['a word', 'tomorrow'],
  ['a date alone', '2027-04-15'],
  ['a time without a zone', '2027-04-15T12:00:00'],
  ['a day that its month has not', '2027-02-29T00:00:00Z'],
  ['a thirteenth month', '2027-13-01T00:00:00Z'],
  ['an hour that no day has', '2027-04-15T25:00:00Z'],
  ['the year nought', '0000-01-01T00:00:00Z'],
  ['a year before all of ours', '1969-12-31T23:59:59Z'],
  ['a year of five digits', '+010000-01-01T00:00:00Z'],
  ['a year of four digits that ends in one of five', '9999-12-31T23:59:59-10:00'],
])('%s names none, and is refused by the name of its field', (_what, text) => {
  expect(instantOf(text).getTime()).toBeNaN()
  expect(() => requireInstant('/lobbyAt', text)).toThrow('/lobbyAt: is not a date')
})
