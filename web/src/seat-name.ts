// Decides how a seat is called: "Stalls, row F, seat 12", or only the section where places have no number.
interface Seat {
  section: string
  row: string | null
  number: string | null
}

export const seatName = ({ section, row, number }: Seat): string =>
  [section, row === null ? '' : `row ${row}`, number === null ? '' : `seat ${number}`]
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
    if (numbers.length === 0)
      return { name: `${place}: ${group.length} ${group.length === 1 ? 'place' : 'places'}`, seats: group }
    return {
      name: `${place}: ${numbers.length === 1 ? 'seat' : 'seats'} ${numbers.join(', ')}`,
      seats: group,
    }
  })
}
