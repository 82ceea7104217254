// Decides whether everything the line answers agrees with the onlooker's picture: everybody, and every count.
import { hold, phaseOf, standing } from './model.ts'
import { agrees } from './moves.ts'
import type { World } from './world.ts'

/** A second, and what the servers' clocks differ by. */
const CURVE_MS = 1_500

export async function compareAll(world: World): Promise<void> {
  const { oracle, eventId } = world
  const node = world.nodes[0]!
  const entrants = await Promise.all(
    [...oracle.line.people.keys()].map((id) => node.line.entrant(eventId, id)),
  )
  await world.hear(node)
  const at = world.at(node)
  const { line } = oracle
  const numbers = new Map<number, string>()
  const places = new Map<number, string>()
  for (const entrant of entrants) {
    const person = oracle.person(entrant.accountId)
    agrees(world, entrant, person, at)
    if (entrant.state === 'outside') continue
    const other = numbers.get(entrant.number!)
    hold(other === undefined, () => `${other} and ${person.id} share number ${entrant.number}`)
    numbers.set(entrant.number!, person.id)
    // Who stepped back, or was called ahead, stands beside somebody.
    if (person.deferred || (person.priority && person.alone) || entrant.place === null) continue
    const beside = places.get(entrant.place)
    hold(beside === undefined, () => `${beside} and ${person.id} share place ${entrant.place}`)
    places.set(entrant.place, person.id)
  }
  if (!line.lost) await compareCounts(world, at)
}

async function compareCounts(world: World, at: number): Promise<void> {
  const { oracle, eventId } = world
  const { line } = oracle
  const view = (await world.nodes[0]!.line.look(eventId))!
  const count = { waiting: 0, called: 0, door: 0, admitted: 0, outside: 0 }
  let ordinary = 0
  let away = 0
  for (const person of line.people.values()) {
    const state = standing(line, person, at)
    const stands = person.state === 'waiting' && !person.alone
    if (stands) ordinary += 1
    if (stands || !person.absent) count[state] += 1
    else away += 1
  }
  same('phase', view.phase, phaseOf(line, at))
  same('epoch', view.epoch, line.epoch)
  same('arrivals', view.arrivals, line.arrivals)
  same('serving', view.serving, line.serving)
  // Who is away from a turn may count as waiting or not.
  hold(view.waiting >= count.waiting && view.waiting <= count.waiting + away, () => {
    return `waiting: ${view.waiting} told, ${count.waiting} known and ${away} away`
  })
  same('door', view.door, count.door)
  same('active', view.active, count.admitted)
  hold(view.called >= count.called, () => `${count.called} may claim, ${view.called} are accounted for`)
  // The curve of leavers may be a second old, and is right within 2 % of the people ahead, or one person.
  if (!(line.lobby && line.drawn === null) && Math.abs(world.now - oracle.goneAt) > CURVE_MS) {
    const gone = view.gone.reduce((sum, [, left]) => sum + left, 0)
    const known = line.arrivals - line.serving - ordinary
    hold(Math.abs(gone - known) <= Math.max(1, ordinary * 0.02), () => `gone: ${gone} told, ${known} known`)
  }
  const mayCompare = world.counted !== null && world.nodes.every(({ stalled }) => !stalled)
  if (mayCompare) same('passes counted', world.counted, oracle.issued)
}

const same = (what: string, told: unknown, known: unknown) =>
  hold(told === known, () => `${what}: ${told} told, ${known} known`)
