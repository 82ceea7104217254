// Owns which lines are open: one connection an event, kept while anything is at stake or a screen looks at it.
import { Line } from './line.svelte.ts'

/** Long enough to walk from one screen to the next without hanging up. */
const LINGER_MS = 5_000
const LINES_MAX = 4

let open = $state.raw<readonly Line[]>([])
const watchers = new Map<string, number>()

const isAtStake = ({ standing }: Line) =>
  standing === 'waiting' || standing === 'called' || standing === 'admitted'

/** The line of an event, opened when it is not; `release` it when the screen goes. */
export function useLine(eventId: string): { line: Line; release: () => void } {
  let line = lineOf(eventId)
  if (!line) {
    makeRoom()
    line = new Line(eventId)
    open = [...open, line]
  }
  const mine = line
  watchers.set(eventId, (watchers.get(eventId) ?? 0) + 1)
  mine.open()
  return { line: mine, release: () => letGo(mine) }
}

function letGo(line: Line): void {
  const left = (watchers.get(line.eventId) ?? 1) - 1
  watchers.set(line.eventId, left)
  setTimeout(() => {
    if ((watchers.get(line.eventId) ?? 0) > 0 || isAtStake(line)) return
    hangUp(line)
  }, LINGER_MS)
}

function makeRoom(): void {
  const idle = open.find((line) => !watchers.get(line.eventId))
  if (open.length >= LINES_MAX && idle) hangUp(idle)
}

function hangUp(line: Line): void {
  line.close()
  open = open.filter((other) => other !== line)
  watchers.delete(line.eventId)
}

/** Signing out ends every line on this device. */
export function hangUpAll(): void {
  for (const line of open) hangUp(line)
}

/** Lines in which something is at stake, for the bar that follows a person over all screens. */
export const linesAtStake = (): Line[] => open.filter(isAtStake)

/** Every line that is open, also where nothing is at stake. */
export const linesOpen = (): readonly Line[] => open

/** The open line of an event, if there is one. */
export const lineOf = (eventId: string): Line | undefined => open.find((line) => line.eventId === eventId)
