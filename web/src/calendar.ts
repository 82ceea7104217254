// Decides what an event looks like in somebody's calendar: one iCalendar file (RFC 5545), made in the browser.

export interface CalendarEntry {
  /** Stable, so that adding twice changes the entry instead of doubling it. */
  id: string
  name: string
  /** ISO 8601 instant. */
  startsAt: string
  location: string
  /** What it is about, and where the tickets are. */
  text: string
  url: string
}

/** A line of a file holds at most so many octets; the rest goes on after a blank (RFC 5545, 3.1). */
const LINE_OCTETS = 75
/** An event says when it starts and not when it ends. */
const ASSUMED_DURATION = 'PT2H'

/** The text of an `.ics` file; `now` is when it was written. */
export function calendarFile(entry: CalendarEntry, now: Date): string {
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Onsale//Onsale//EN',
    'BEGIN:VEVENT',
    `UID:${entry.id}@onsale`,
    `DTSTAMP:${instant(now)}`,
    `DTSTART:${instant(new Date(entry.startsAt))}`,
    `DURATION:${ASSUMED_DURATION}`,
    `SUMMARY:${escaped(entry.name)}`,
    `LOCATION:${escaped(entry.location)}`,
    `DESCRIPTION:${escaped(entry.text)}`,
    `URL:${entry.url.replace(/[\r\n]/g, '')}`,
    'END:VEVENT',
    'END:VCALENDAR',
  ]
  return lines.map((line) => `${folded(line)}\r\n`).join('')
}

/** 20270415T130000Z: in UTC, so that the file needs no description of a time zone. */
const instant = (at: Date) => at.toISOString().replace(/[-:]|\.\d{3}/g, '')

/** An organiser's text must stay text: a line break in it would start a property of its own. */
const escaped = (text: string) => text.replace(/[\\;,]/g, '\\$&').replace(/\r\n|\r|\n/g, '\\n')

function folded(line: string): string {
  const lines = ['']
  let octets = 0
  for (const letter of line) {
    const size = new TextEncoder().encode(letter).length
    if (octets + size > LINE_OCTETS) {
      lines.push(' ')
      octets = 1
    }
    lines[lines.length - 1] += letter
    octets += size
  }
  return lines.join('\r\n')
}
