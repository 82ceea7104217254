// Decides how a seat is called: "Stalls, row F, seat 12", or only the section where places have no number.
import { m } from '#messages'
import { formatCount } from './format.ts'

interface Seat {
  section: string
  row: string | null
  number: string | null
}

export const seatName = ({ section, row, number }: Seat): string =>
  [
    section,
    row === null ? '' : m.seats_name_row({ row }),
    number === null ? '' : m.seats_name_seat({ number }),
  ]
    .filter(Boolean)
    .join(', ')

/** Seats of one row in one line: ["Stalls, row F: seats 12, 13", "Standing: 2 places"]. */
export function groupSeats<T extends Seat>(seats: readonly T[]): { name: string; seats: T[] }[] {
  const groups = Map.groupBy(seats, ({ section, row }) => `${section}\n${row ?? ''}`)
  return [...groups.values()].map((group) => {
    const [first] = group
    if (!first) return { name: '', seats: group }
    const place = seatName({ ...first, number: null })
    const numbers = group.flatMap(({ number }) => (number === null ? [] : [number]))
    const places = m.seats_name_places({ count: group.length, shown: formatCount(group.length) })
    if (numbers.length === 0) return { name: `${place}: ${places}`, seats: group }
    const [only] = numbers
    const named =
      numbers.length === 1 && only !== undefined
        ? m.seats_name_seat({ number: only })
        : m.seats_name_seats({ numbers: numbers.join(', ') })
    return { name: `${place}: ${named}`, seats: group }
  })
}
