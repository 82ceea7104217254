// Owns what may happen to a line, as plain data, and how each of it is done and held against the onlooker's picture.
import type { RoomSettings } from '../../../db/rooms.ts'
import type { Entrant } from '../../../server/room/entrant.ts'
import { roomKey } from '../../../server/room/keys.ts'
import { DEFER_PLACES, type Move as Answer } from '../../../server/room/room.ts'
import { compareAll } from './compare.ts'
import { hold, mayBeTold, newPerson, phaseOf, placeOf, roomNow, standing, type Person } from './model.ts'
import { HTTP_PRESENCE_MS } from './oracle.ts'
import type { Death, Node, Ticket, World } from './world.ts'

type By = { node: number }
type Who = By & { who: string }
export type Move =
  | (Who & {
      do: 'join'
      http?: boolean
      priority?: boolean
      ticket: 'own' | 'oldest' | 'none' | { of: string }
    })
  | (Who & { do: 'ask' })
  | (Who & { do: 'claim' })
  | (Who & { do: 'leave' })
  | (Who & { do: 'defer' })
  | (Who & { do: 'drop'; stale?: boolean })
  | (By & { do: 'tick'; dies?: Death })
  | (By & { do: 'stall'; steps: number })
  | (By & { do: 'resume' })
  | (By & { do: 'second' })
  | (By & { do: 'kill' })
  | (By & { do: 'set'; change: Change; lost?: boolean })
  | (By & { do: 'old'; change: Change })
  | { do: 'seats'; total: number; available: number; reserved: number }
  | { do: 'pass'; ms: number }
  | { do: 'wipe' }
  | { do: 'keep' }
  | { do: 'rollback' }
  | { do: 'compare' }
  | (By & { do: 'crowd'; from: number; to: number })

/** Settings; moments as ms from now. */
export type Change = Partial<Omit<RoomSettings, 'onSaleAt' | 'lobbyAt'>> & {
  lobbyIn?: number | null
  saleIn?: number | null
}

const JOINABLE = new Set(['lobby', 'open', 'paused', 'sold_out'])
const TICKETS_KEPT = 4
const EDGES_MAX = 200

/** Does one move and throws Broken when the line did not keep a promise. */
export async function perform(world: World, move: Move): Promise<void> {
  const { oracle } = world
  if (move.do === 'pass') return pass(world, move.ms)
  if (move.do === 'seats') return void (world.seats = { ...move })
  if (move.do === 'compare') return compareAll(world)
  if (move.do === 'keep') return world.keep()
  if (move.do === 'rollback') return world.rollBack()
  if (move.do === 'wipe') {
    await world.forget()
    return oracle.wiped()
  }
  const node = world.nodes[move.node % world.nodes.length]!
  switch (move.do) {
    case 'tick':
      return world.tick(node, Infinity, move.dies)
    case 'stall':
      return world.tick(node, move.steps)
    case 'resume':
      return world.resume(node)
    case 'second':
      return second(world, node)
    case 'kill':
      return kill(world, node)
    case 'set':
      world.settings = changed(world, move.change, world.settings.version + 1)
      if (move.lost) return
      await world.push(node)
      return void (await world.hear(node))
    case 'old':
      await world.push(node, changed(world, move.change, world.settings.version - 1))
      return void (await world.hear(node))
    case 'crowd':
      return crowd(world, node, move)
    case 'join':
      return join(world, node, move)
    case 'ask':
      return ask(world, node, move.who)
    case 'claim':
      return claim(world, node, move.who)
    case 'leave':
      return leave(world, node, move.who)
    case 'defer':
      return defer(world, node, move.who)
    case 'drop':
      return drop(world, node, move.who, move.stale ?? false)
  }
}

/** A clock only goes back when whatever ran out by it has been ended. */
async function pass(world: World, ms: number): Promise<void> {
  if (ms < 0) {
    for (const node of world.nodes) await world.tick(node)
    if (world.heldAt !== world.now) return
    const { line } = world.oracle
    const holder = world.nodes.find(({ owner }) => owner === world.holder)
    // One that was stopped in its tick has swept nobody yet.
    if (!holder || holder.stalled) return
    for (const person of line.people.values())
      if (standing(line, person, world.at(holder)) === 'outside') person.state = 'outside'
  }
  const before = world.now
  world.now += ms
  // A curve of leavers is kept for a second of Redis' own clock, which no server turns back.
  if (ms < 0) await world.redis.del(roomKey(world.eventId, 'curve'))
  // Servers whose clocks differ may disagree for a moment about what has just run out; nothing is asked in it.
  const slackMs = 2 * world.options.skewMs
  let edges = slackMs > 0 ? EDGES_MAX : 0
  while (edges-- > 0 && onEdge(world, slackMs)) world.now += slackMs + 1
  world.oracle.elapsed += Math.max(0, world.now - before)
}

function onEdge({ oracle: { line }, now }: World, slackMs: number): boolean {
  const room = roomNow(line, now)
  for (const { state, due, ends } of line.people.values()) {
    if (state === 'called' && Math.abs(due - room) <= slackMs) return true
    if (state === 'admitted' && Math.abs(ends - now) <= slackMs) return true
  }
  return false
}

function changed(world: World, { lobbyIn, saleIn, ...change }: Change, version: number): RoomSettings {
  const moment = (ms: number | null) => (ms === null ? null : new Date(world.now + ms))
  return {
    ...world.settings,
    ...change,
    ...(lobbyIn === undefined ? {} : { lobbyAt: moment(lobbyIn) }),
    ...(saleIn === undefined ? {} : { onSaleAt: moment(saleIn) }),
    version,
  }
}

/** What the holder of the lease does each second: settings again, and how far the line has come is saved. */
async function second(world: World, node: Node): Promise<void> {
  await world.push(node)
  await world.hear(node)
  const view = await node.line.look(world.eventId)
  if (!view?.enabled) return
  const saved = world.progress!
  world.progress = {
    epoch: Math.max(saved.epoch, view.epoch),
    arrivals: Math.max(saved.arrivals, view.arrivals),
    serving: Math.max(saved.serving, view.serving),
  }
}

/** The server is gone with its connections, whatever it was doing; another one is started. */
async function kill(world: World, node: Node): Promise<void> {
  const { line } = world.oracle
  // What it let in without having counted it yet is counted by nobody.
  if (node.stalled) world.counted = null
  for (const person of line.people.values()) {
    if (!person.socket.startsWith(`${node.owner}.`)) continue
    person.safeUntil = roomNow(line, world.at(node)) + line.settings!.graceSeconds * 1_000
  }
  world.nodes.splice(world.nodes.indexOf(node), 1)
  world.addNode(node.skewMs)
}

/** The answer agrees with the picture. */
export function agrees(world: World, entrant: Entrant, person: Person, at: number): void {
  const { line } = world.oracle
  const state = entrant.state
  hold(mayBeTold(line, person, state, at), () => {
    return `${person.id} is told ${state}, but is ${standing(line, person, at)}${person.absent ? ' and away' : ''}`
  })
  if (state === 'outside') return
  hold(entrant.number === person.number && entrant.place === person.place, () => {
    return `${person.id} is told number ${entrant.number} place ${entrant.place}, had ${person.number} and ${person.place}`
  })
  hold(entrant.epoch === line.epoch, () => `${person.id} is told epoch ${entrant.epoch} in ${line.epoch}`)
  hold(entrant.deferred === person.deferred, () => `${person.id}: stepped back is ${entrant.deferred}`)
  if (state === 'called') {
    const claimBefore = person.due + at - roomNow(line, at)
    hold(entrant.claimBefore?.getTime() === claimBefore, () => {
      return `${person.id} may claim until ${entrant.claimBefore?.getTime()}, was promised ${claimBefore}`
    })
  }
  if (state === 'admitted')
    hold(entrant.expiresAt?.getTime() === person.ends, () => `the pass of ${person.id} ends at another time`)
}

async function join(world: World, node: Node, move: Extract<Move, { do: 'join' }>): Promise<void> {
  const { oracle } = world
  const { who } = move
  const socket = move.http ? '' : `${node.owner}.${world.sockets++}`
  const kept = world.tickets.get(who) ?? []
  const ticket =
    move.ticket === 'own'
      ? kept.at(-1)
      : move.ticket === 'oldest'
        ? kept[0]
        : move.ticket === 'none'
          ? undefined
          : world.tickets.get(move.ticket.of)?.at(-1)
  const own = kept.includes(ticket!) ? ticket : undefined
  const answer = await node.line.join(world.eventId, who, {
    socket,
    priority: move.priority ?? false,
    ...(ticket ? { ticket: ticket.token } : {}),
  })
  const news = await world.hear(node)
  const before = { ...oracle.person(who) }
  const state = standing(oracle.line, before, world.at(node))
  await took(world, node, { who, socket, own, answer, priority: move.priority ?? false })
  const replaced = news.filter((each) => each.kind === 'replaced')
  const older = state !== 'outside' && socket !== '' && before.socket !== ''
  hold(replaced.length === (older ? 1 : 0), () => `${who}: ${replaced.length} older tabs told`)
}

interface Taken {
  who: string
  socket: string
  own: Ticket | undefined
  answer: Answer
  priority: boolean
}

/** What a join gave is what it had to give. */
async function took(world: World, node: Node, { who, socket, own, answer, priority }: Taken): Promise<void> {
  const { oracle } = world
  const { line } = oracle
  const at = world.at(node)
  let person = oracle.person(who)
  if (standing(line, person, at) === 'outside') {
    if (!JOINABLE.has(phaseOf(line, at)))
      return hold(!answer.ok, () => `${who} joined while the room is ${phaseOf(line, at)}`)
    hold(answer.ok, () => `${who} was refused`)
    if (!answer.ok) return
    const phase = phaseOf(line, at)
    const wasDrawn = own !== undefined && line.drawn !== null && own.number < line.drawn
    let proven =
      own !== undefined &&
      own.epoch < line.epoch &&
      own.number < line.restoredTo &&
      own.number >= Math.max(line.voidBelow, line.restoredFrom) &&
      person.epoch < line.epoch &&
      (!wasDrawn || (await node.draws.isListed(world.eventId, own.number, who)))
    // A list that is being read takes nobody back any more.
    const reading = proven && line.lobby && line.drawn === null && own!.number < (line.entrants ?? 0)
    if (reading && answer.entrant.number !== own!.number) proven = false
    const number = proven ? own!.number : line.arrivals++
    hold(answer.entrant.number === number, () => `${who} got number ${answer.entrant.number}, not ${number}`)
    oracle.own(number, who)
    if (proven) oracle.goneAt = world.now
    if (phase === 'open' || phase === 'sold_out') line.plain ||= line.drawn === null
    else if (!line.plain && !line.lobby && line.entrants === null) {
      if (phase === 'lobby' || at < (line.settings!.onSaleAt?.getTime() ?? 0)) line.lobby = true
      else line.plain = true
    }
    person = { ...newPerson(who), state: 'waiting', number, place: placeOf(line, number), epoch: line.epoch }
    person.alone = proven && (person.place ?? number) < line.serving
    line.people.set(who, person)
  }
  hold(answer.ok, () => `${who} could not come back`)
  if (!answer.ok) return
  cameBack(world, person, answer.entrant)
  agrees(world, answer.entrant, person, at)
  keepTicket(world, person)
  if (priority && answer.entrant.state === 'waiting' && !person.alone && person.state === 'waiting')
    person.priority = true
  if (socket !== '') person.socket = socket
  person.safeUntil = person.socket === '' ? believed(world, at) : null
}

/** Somebody away is there again: in the turn when enough of it is left, else called alone, next of all. */
function cameBack({ oracle: { line } }: World, person: Person, entrant: Entrant): void {
  if (!person.absent) return
  person.absent = false
  if (person.state !== 'called' || entrant.state !== 'waiting') return
  person.state = 'waiting'
  if ((person.place ?? Infinity) < line.serving) person.alone = true
  person.again ||= person.turnLost
  person.turnLost = false
}

function keepTicket(world: World, { id, number, epoch }: Person): void {
  const kept = world.tickets.get(id) ?? []
  const last = kept.at(-1)
  if (last?.number === number && last.epoch === epoch) return
  kept.push({ token: `${id}|${world.eventId}|${number}|${epoch}`, number, epoch })
  world.tickets.set(id, kept.slice(-TICKETS_KEPT))
}

const believed = ({ oracle: { line } }: World, at: number) =>
  roomNow(line, at) + Math.max(HTTP_PRESENCE_MS, line.settings!.graceSeconds * 1_000)

async function crowd(world: World, node: Node, { from, to }: { from: number; to: number }): Promise<void> {
  const people = Array.from({ length: to - from }, (_, i) => ({
    who: `p${from + i}`,
    socket: `${node.owner}.${world.sockets++}`,
  }))
  const answers = await Promise.all(
    people.map(({ who, socket }) => node.line.join(world.eventId, who, { socket })),
  )
  await world.hear(node)
  for (const [i, one] of people.entries())
    await took(world, node, { ...one, own: undefined, answer: answers[i]!, priority: false })
}

async function ask(world: World, node: Node, who: string): Promise<void> {
  const entrant = await node.line.entrant(world.eventId, who, { present: true })
  await world.hear(node)
  const person = world.oracle.person(who)
  const at = world.at(node)
  cameBack(world, person, entrant)
  agrees(world, entrant, person, at)
  const stands = entrant.state === 'waiting' || entrant.state === 'door'
  if (stands && person.socket === '') person.safeUntil = believed(world, at)
}

async function claim(world: World, node: Node, who: string): Promise<void> {
  const { oracle } = world
  const answer = await node.line.claim(world.eventId, who)
  const news = await world.news()
  const at = world.at(node)
  const person = oracle.person(who)
  const before = standing(oracle.line, person, at)
  hold(answer.ok, () => `a claim of ${who} was refused`)
  if (!answer.ok) return
  if (before === 'called' && !(person.absent && answer.entrant.state === 'waiting'))
    Object.assign(person, { state: 'door', absent: false, safeUntil: null })
  const others = news.flatMap((each) => (each.kind === 'admitted' ? each.accounts : []))
  const self = answer.entrant.state === 'admitted' && person.state === 'door' ? [who] : []
  hold(others.length === 0 || before === 'called' || before === 'door' || before === 'admitted', () => {
    return `a claim of ${who}, ${before}, let others in`
  })
  if (others.length + self.length > 0) oracle.admitted([...others, ...self], at)
  for (const each of news) if (each.kind !== 'admitted') oracle.heard(each, at, world.now)
  agrees(world, answer.entrant, person, at)
}

async function leave(world: World, node: Node, who: string): Promise<void> {
  const answer = await node.line.leave(world.eventId, who)
  const news = await world.news()
  const person = world.oracle.person(who)
  const inside = standing(world.oracle.line, person, world.at(node)) !== 'outside'
  hold(answer.ok && answer.entrant.state === 'outside', () => `${who} left and is still there`)
  const told = news.filter(
    (each) => each.kind === 'ended' && each.accounts.length === 1 && each.accounts[0] === who,
  )
  hold(told.length === (inside ? 1 : 0), () => `leaving of ${who} was told ${told.length} times`)
  if (!inside) return
  world.oracle.goneAt = world.now
  person.state = 'outside'
  person.absent = false
  person.socket = ''
}

async function defer(world: World, node: Node, who: string): Promise<void> {
  const { oracle } = world
  const answer = await node.line.defer(world.eventId, who)
  await world.hear(node)
  const at = world.at(node)
  const person = oracle.person(who)
  const may = standing(oracle.line, person, at) === 'called' && !person.deferred
  hold(answer.ok === may || (may && person.absent), () => `${who} ${may ? 'could not step' : 'stepped'} back`)
  if (!answer.ok) return
  const { place } = answer.entrant
  const { serving } = oracle.line
  hold(place !== null && place >= serving && place < serving + DEFER_PLACES, () => {
    return `${who} stepped back to ${place}, the line is at ${serving}`
  })
  Object.assign(person, { state: 'waiting', alone: true, deferred: true, place, absent: false, again: false })
  agrees(world, answer.entrant, person, at)
}

async function drop(world: World, node: Node, who: string, stale: boolean): Promise<void> {
  const { oracle } = world
  const person = oracle.person(who)
  const socket = stale || person.socket === '' ? `${node.owner}.gone` : person.socket
  await node.line.drop(world.eventId, who, socket)
  await world.hear(node)
  if (socket !== person.socket || oracle.line.lost) return
  const at = world.at(node)
  const state = standing(oracle.line, person, at)
  person.socket = ''
  if (state === 'outside' || state === 'admitted' || (state === 'called' && person.again)) return
  person.absent = true
  person.turnLost ||= state === 'called'
  person.safeUntil = roomNow(oracle.line, at) + oracle.line.settings!.graceSeconds * 1_000
}
