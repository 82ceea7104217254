// Holds times typed in an event's zone to the instants they mean, around changes of the clocks too.
import { expect, test } from 'bun:test'
import { instantOf, wallTime } from '../../web/src/zoned-time.ts'

test('a time at the event is the same instant wherever it is typed', () => {
  expect(instantOf('2027-06-15T20:00', 'Europe/Berlin')).toBe('2027-06-15T18:00:00.000Z')
  expect(instantOf('2027-01-15T20:00', 'Europe/Berlin')).toBe('2027-01-15T19:00:00.000Z')
  expect(instantOf('2027-04-15T20:00', 'Asia/Kathmandu')).toBe('2027-04-15T14:15:00.000Z')
  expect(instantOf('2027-04-15T20:00', 'UTC')).toBe('2027-04-15T20:00:00.000Z')
})

test('an instant is shown as it was typed, on both sides of a change of the clocks', () => {
  for (const zone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Jakarta'])
    for (const day of ['2027-03-14', '2027-03-28', '2027-04-04', '2027-10-03', '2027-10-31', '2027-11-07'])
      for (const hour of ['00:30', '04:30', '12:00', '23:45']) {
        const wall = `${day}T${hour}`
        expect(wallTime(instantOf(wall, zone), zone)).toBe(wall)
      }
})

test('a time that the clocks skip is read as if they had not been put forward yet', () => {
  expect(instantOf('2027-03-28T02:30', 'Europe/Berlin')).toBe('2027-03-28T01:30:00.000Z')
})

test('nothing typed is no instant', () => {
  expect(instantOf('', 'UTC')).toBeNull()
  expect(instantOf('soon', 'UTC')).toBeNull()
  expect(wallTime(null, 'UTC')).toBe('')
})
