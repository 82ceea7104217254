// Decides after every move whether the line kept its promises: order of calls, numbers, passes, graces.
import type { RoomSettings } from '../../../db/rooms.ts'
import type { RoomNews } from '../../../server/room/feed.ts'
import {
  configured,
  emptyLine,
  hold,
  personOf,
  phaseOf,
  placeOf,
  roomNow,
  standing,
  type Line,
  type Person,
} from './model.ts'

const LIST_CHECKED_MAX = 10_000
const WINDOW_MS = 60_000
/** Called beyond the free passes, because some will not come. */
const OVER_CALL_MAX = 2
/** Without a door, who is there is in at once; who is not has this long. */
const NO_DOOR_MS = 60_000
/** A client without a socket is believed to be there for so long after it asked. */
export const HTTP_PRESENCE_MS = 60_000

export class Oracle {
  line: Line = emptyLine()
  /** number → who it was given to, of all epochs. */
  readonly owners = new Map<number, string>()
  /** When passes were issued, by `elapsed`, ascending. */
  admissions: number[] = []
  /** account → when a pass ends that was issued before Redis was lost. */
  readonly oldPasses = new Map<string, number>()
  /** How many passes were ever issued. */
  issued = 0
  calls = 0
  priorityCalls = 0
  /** Hundredths of people who might be called by the separate share. */
  priorityCredit = 0
  /** When the line last changed other than by an arrival, ms of the world. */
  goneAt = 0
  /** Time that has really gone by, ms: a clock set back takes none of it back. */
  elapsed = 0

  /** Redis was emptied: places are proven by tickets alone, passes live on until nobody new could be admitted. */
  wiped(): void {
    const { people } = this.line
    for (const person of people.values()) {
      if (person.state === 'admitted')
        this.oldPasses.set(person.id, Math.max(person.ends, this.oldPasses.get(person.id) ?? 0))
      person.state = 'outside'
      person.absent = false
      person.socket = ''
      person.safeUntil = null
    }
    this.line = { ...emptyLine(), people }
  }

  /** The next epoch has begun; `settings` are what is pushed right after. */
  restarted(
    progress: { epoch: number; arrivals: number; serving: number },
    settings: RoomSettings,
    at: number,
    draw: { waits: boolean; entrants: number | null; seed: Uint8Array | null },
  ) {
    const { people } = this.line
    hold(progress.epoch > this.line.epoch, () => `epoch ${progress.epoch} is not a new one`)
    const windowMs = settings.admitPerMinute === null ? 0 : WINDOW_MS
    const heldMs = Math.max(settings.passSeconds * 1_000, windowMs)
    // Before the draw nobody was called.
    const heldUntil = progress.epoch === 1 || draw.waits ? 0 : at + heldMs
    this.line = {
      ...emptyLine(),
      ...progress,
      people,
      restoredTo: progress.arrivals,
      heldUntil,
      lobby: draw.waits,
      entrants: draw.entrants,
      plain: draw.entrants === 0,
      lost: false,
    }
    for (const [id, ends] of this.oldPasses) this.oldPasses.set(id, Math.min(ends, heldUntil))
    // What was given out while no rate was set breaks none that is set later.
    if (windowMs === 0) this.admissions = []
    configured(this.line, settings, at)
  }

  /** The draw is a permutation, and everybody on the list stands where it says. */
  drawn(placeOfNumber: (number: number) => number, entrants: number, again = false): void {
    const { line } = this
    hold(line.drawn === null, () => 'drawn twice')
    if (entrants <= LIST_CHECKED_MAX) {
      const places = new Set(Array.from({ length: entrants }, (_, number) => placeOfNumber(number)))
      const inside = [...places].every((place) => place >= 0 && place < entrants)
      hold(inside && places.size === entrants, () => `${entrants} numbers got ${places.size} places`)
    }
    // Of a lost epoch only those behind the list still come back, unless the draw itself is what comes back.
    if (line.restoredTo > 0 && !again) line.restoredFrom = entrants
    Object.assign(line, { drawn: entrants, entrants, placeOf: placeOfNumber })
    for (const person of line.people.values())
      if (person.state === 'waiting' && person.place === null) person.place = placeOf(line, person.number)
  }

  person(id: string): Person {
    return personOf(this.line, id)
  }

  /** An announcement, read in order. */
  heard(news: RoomNews, at: number, trueNow: number): void {
    this.goneAt = trueNow
    if (news.kind === 'called') this.called(news, at)
    if (news.kind === 'admitted') this.admitted(news.accounts, at)
    if (news.kind === 'missed') this.line.missed = true
    if (news.kind === 'ended') this.ended(news.accounts, news.reason, at)
  }

  private called(news: Extract<RoomNews, { kind: 'called' }>, at: number): void {
    const { line } = this
    const { from, to } = news
    this.advanced(from)
    hold(to >= from && to <= line.arrivals, () => `called up to ${to} of ${line.arrivals}, from ${from}`)
    this.mayMove('called', at)
    const { available, total } = line.seats
    hold(total === 0 || available > 0, () => 'people were called while no seat is free')
    const turnMs = turnMsOf(line.settings!)
    hold(news.claimBefore === at + turnMs, () => `claimBefore ${news.claimBefore}, promised ${at + turnMs}`)

    const alone = new Set(news.alone)
    const due = roomNow(line, at) + turnMs
    const ahead: Person[] = []
    let last = -1
    let count = 0
    let nearest: Person | null = null
    for (const person of line.people.values()) {
      if (person.state !== 'waiting') continue
      const place = person.place ?? Infinity
      if (alone.delete(person.id)) {
        hold(!person.absent, () => `${person.id} was called alone while away`)
        if (!person.alone) ahead.push(person)
        else last = Math.max(last, place)
        count += 1
      } else if (!person.alone && place >= from && place < to) {
        if (!person.absent) {
          last = Math.max(last, place)
          count += 1
        }
      } else {
        const stays = !person.absent && (nearest === null || place < (nearest.place ?? Infinity))
        if (stays) nearest = person
        continue
      }
      person.state = 'called'
      person.due = due
    }
    hold(alone.size === 0, () => `${[...alone].join(' ')} called, but not waiting`)
    for (const person of ahead) this.calledByPriority(person, from)
    hold(count > 0 || to > from, () => 'a call of nobody')
    hold(nearest === null || nearest.place === null || nearest.place >= last, () => {
      return `${nearest!.id} at place ${nearest!.place} was overtaken by place ${last}`
    })
    line.serving = to
    this.calls += count
    this.priorityCredit += count * (line.settings!.priorityShare ?? 0)
    hold(this.priorityCalls * 100 <= this.priorityCredit + 100, () => {
      return `${this.priorityCalls} called by priority, ${this.priorityCredit / 100} by the share`
    })
    this.checkBudget(count, at)
  }

  /** Called by the separate share: in order of arrival among those who have priority and are there. */
  private calledByPriority(person: Person, from: number): void {
    hold(person.priority, () => `${person.id} was called alone, for no reason`)
    for (const other of this.line.people.values())
      hold(
        !other.priority ||
          other.state !== 'waiting' ||
          other.alone ||
          other.absent ||
          other.number >= person.number,
        () => `${other.id} with priority was overtaken by ${person.id}`,
      )
    person.alone = true
    person.place = Math.max(0, from - 1)
    this.priorityCalls += 1
  }

  /** The watermark may pass over places nobody waits at, and never comes back. */
  advanced(serving: number): void {
    const { line } = this
    hold(serving >= line.serving, () => `the watermark went back from ${line.serving} to ${serving}`)
    if (serving === line.serving) return
    line.serving = serving
    for (const person of line.people.values()) {
      if (person.state !== 'waiting' || person.alone || (person.place ?? Infinity) >= serving) continue
      hold(person.absent, () => `${person.id} at place ${person.place} was passed over at ${serving}`)
      person.state = 'called'
      person.due = 0
    }
  }

  /** Called are only so many as passes are free, and at most twice as many, because not everybody comes. */
  private checkBudget(count: number, at: number): void {
    if (count === 0) return
    const { activeMax, admitPerMinute } = this.line.settings!
    let door = 0
    for (const person of this.line.people.values()) if (person.state === 'door' && !person.absent) door += 1
    const free = activeMax - this.live(at) - door
    const most = this.line.missed ? OVER_CALL_MAX : 1
    hold(count <= free * most, () => `${count} were called while ${free} passes are free`)
    hold(admitPerMinute === null || count <= admitPerMinute * most, () => {
      return `${count} were called, admitPerMinute ${admitPerMinute}`
    })
  }

  /** Live passes at a moment, of lost epochs too. */
  live(at: number): number {
    let live = 0
    for (const ends of this.oldPasses.values()) if (ends > at) live += 1
    for (const person of this.line.people.values())
      if (person.state === 'admitted' && person.ends > at) live += 1
    return live
  }

  inLastMinute(now: number): number {
    return this.admissions.filter((at) => at > now - WINDOW_MS).length
  }

  /** One script let these in, `at` by the clock of the server that asked. */
  admitted(ids: string[], at: number): void {
    const { line } = this
    this.mayMove('admitted', at)
    const settings = line.settings!
    let last = -1
    for (const id of ids) {
      const person = this.person(id)
      const state = standing(line, person, at)
      const unasked = state === 'called' && settings.doorSeconds === 0
      hold(state === 'door' || unasked, () => `${id} got a pass while ${state}`)
      person.state = 'admitted'
      person.ends = at + settings.passSeconds * 1_000
      last = Math.max(last, person.place!)
      this.admissions.push(this.elapsed)
      this.issued += 1
      line.issued += 1
    }
    for (const person of line.people.values())
      hold(person.state !== 'door' || person.absent || person.place! >= last, () => {
        return `${person.id} at the door with place ${person.place} was overtaken by place ${last}`
      })
    const live = this.live(at)
    hold(live <= settings.activeMax, () => `${live} live passes, activeMax ${settings.activeMax}`)
    this.admissions = this.admissions.filter((issued) => issued > this.elapsed - 2 * WINDOW_MS)
    const { admitPerMinute } = settings
    const minute = this.inLastMinute(this.elapsed)
    hold(admitPerMinute === null || minute <= admitPerMinute, () => {
      return `${minute} passes in 60 s, admitPerMinute ${admitPerMinute}`
    })
  }

  private mayMove(how: string, at: number): void {
    const phase = phaseOf(this.line, at)
    hold(phase === 'open', () => `people were ${how} while the room is ${phase}`)
    hold(at >= this.line.heldUntil, () => {
      return `people were ${how} ${this.line.heldUntil - at} ms before the hold after a lost Redis is over`
    })
  }

  /** Ended by the clock; a person's own leaving is read from the answer. */
  private ended(ids: string[], reason: string, at: number): void {
    for (const id of ids) {
      const person = this.person(id)
      if (reason === 'pass_expired') {
        hold(person.state === 'outside' || standing(this.line, person, at) === 'outside', () => {
          return `the pass of ${id} was ended ${person.ends - at} ms early`
        })
      } else if (person.state !== 'outside') {
        const safeFor = person.safeUntil === null ? Infinity : person.safeUntil - roomNow(this.line, at)
        const state = standing(this.line, person, at)
        const gone = state === 'waiting' || state === 'door' || (person.absent && state !== 'admitted')
        hold(gone && safeFor <= 0, () => `${id} lost a place while ${state}, safe for ${safeFor} ms more`)
      }
      person.state = 'outside'
      person.absent = false
    }
  }

  /** A number belongs to the first who got it, for ever. */
  own(number: number, id: string): void {
    const owner = this.owners.get(number)
    hold(owner === undefined || owner === id, () => `number ${number} of ${owner} was given to ${id}`)
    this.owners.set(number, id)
  }
}

const turnMsOf = ({ doorSeconds, passSeconds }: RoomSettings) =>
  doorSeconds > 0 ? doorSeconds * 1_000 : Math.min(NO_DOOR_MS, passSeconds * 1_000)
