// Holds the calendar file to RFC 5545, whatever an organiser calls an event.
import { expect, test } from 'bun:test'
import { calendarFile } from '../../web/src/calendar.ts'

const entry = {
  id: '0199a3c4',
  name: 'Night of strings',
  startsAt: '2027-04-15T20:00:00+07:00',
  location: 'Old hall',
  text: 'Your tickets',
  url: 'https://tickets.example/tickets',
}
const NOW = new Date('2026-11-23T04:00:00.123Z')
/** As a calendar reads it: folded lines joined again. */
const linesOf = (file: string) =>
  file
    .replace(/\r\n[ \t]/g, '')
    .split('\r\n')
    .slice(0, -1)

test('times are in UTC, and the same event is the same entry', () => {
  const lines = linesOf(calendarFile(entry, NOW))
  expect(lines).toContain('DTSTART:20270415T130000Z')
  expect(lines).toContain('DTSTAMP:20261123T040000Z')
  expect(lines).toContain('UID:0199a3c4@onsale')
  expect([lines[0], lines.at(-1)]).toEqual(['BEGIN:VCALENDAR', 'END:VCALENDAR'])
})

test('no line is longer than 75 octets, and no letter is cut in two', () => {
  const name = 'Ночь струн 夜 🎻 '.repeat(20)
  const file = calendarFile({ ...entry, name }, NOW)
  for (const line of file.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75)
  expect(linesOf(file)).toContain(`SUMMARY:${name}`)
})

test('an organiser’s text cannot become a line of the file', () => {
  const lines = linesOf(
    calendarFile({ ...entry, name: 'A\r\nATTACH:https://bad.example', location: 'x\nEND:VEVENT;,\\' }, NOW),
  )
  expect(lines).toHaveLength(14)
  expect(lines).toContain('SUMMARY:A\\nATTACH:https://bad.example')
  expect(lines).toContain('LOCATION:x\\nEND:VEVENT\\;\\,\\\\')
})
