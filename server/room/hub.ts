// Owns the sockets of one event on one server: whose each is, who is told what, and when all are told together.
//
// Nobody is told one by one what all can be told at once: `line` and `room` go out on native topics. Calls find their
// sockets by place (places.ts), so a raise of the watermark costs its width, never the number of sockets.
import { toRefusal } from '../errors.ts'
import { CLOSE_CODES, type EndedReason } from '../protocol/codes.ts'
import { drawFrame, LineBroadcast } from './broadcast.ts'
import { isBehind, send, sendError, TIERS, type Socket, type Tier } from './connection.ts'
import { drawnPlaces } from './draw.ts'
import type { Entrant, RoomSnapshot } from './entrant.ts'
import type { RoomNews } from './feed.ts'
import type { Room } from './open-room.ts'
import { Places, UNDRAWN } from './places.ts'

/** Somebody at the door, or who stepped back, is looked at this often. */
const CHECK_EVERY_MS = 1_000
/** Answers of Redis worked on at once when many sockets must be asked about. */
const ASK_AT_ONCE = 200
/** Beyond this many, whoever lost the place to a newer tab is told when that next moves. */
const EARLY_MAX = 1_000
/** Longer than the answer to a join that was under way takes. */
const HOLD_ON_MS = 200

/** What a hub needs of its surroundings. */
export interface HubParts {
  room: Room
  /** To every socket of a topic on this server. */
  publish(topic: string, text: string): void
  now(): number
  /** Within which time this server's sockets are to come back when it is lost. */
  comeBackMs(): number
}

export class EventHub {
  readonly sockets = new Set<Socket>()
  snapshot: RoomSnapshot | null = null
  #perAccount = new Map<string, number>()
  #byAccount = new Map<string, Socket>()
  #places: Places
  /** Called, at the door, stepped back or admitted: the few whose state runs out or may change alone. */
  #unsettled = new Set<Socket>()
  /** The place of a number below `drawn`, once places are drawn. */
  #placeOf: ((number: number) => number) | null = null
  #broadcast: LineBroadcast
  #unfollow: () => void
  #leave: () => void
  /** Names of sockets here that lost their place to another one before they were told that they had it. */
  #replacedEarly = new Set<string>()

  constructor(
    readonly eventId: string,
    private readonly parts: HubParts,
  ) {
    this.#places = new Places(eventId)
    this.#broadcast = new LineBroadcast(
      parts.now,
      (which, text) => this.#publish(which, text),
      parts.comeBackMs,
    )
    this.#unfollow = parts.room.feed.follow(eventId, {
      news: (news) => this.#hear(news),
      snapshot: (snapshot) => this.take(snapshot),
    })
    this.#leave = parts.room.attend(eventId, () => void this.#nameAgain())
  }

  /** The last socket has gone. */
  close(): void {
    this.#unfollow()
    this.#leave()
  }

  /** This process ends: its people's grace begins when nobody hears of it any more, and not before. */
  abandon(): void {
    this.#unfollow()
  }

  #publish(which: Tier | 'all', text: string): void {
    if (which !== 'all') return this.parts.publish(this.#places.topic(which), text)
    for (const tier of TIERS) this.parts.publish(this.#places.topic(tier), text)
    // Of a tick the next one makes up; of this nothing does but to come back.
    for (const socket of this.sockets) if (isBehind(socket)) socket.terminate()
  }

  socketsOf(accountId: string): number {
    return this.#perAccount.get(accountId) ?? 0
  }

  add(socket: Socket): void {
    this.sockets.add(socket)
    socket.subscribe(this.#places.topic('far'))
    this.identified(socket)
  }

  /** The socket's account has just become known, or was from the start. */
  identified({ data: { accountId } }: Socket): void {
    if (accountId) this.#perAccount.set(accountId, this.socketsOf(accountId) + 1)
  }

  /** Forgets a closed socket; its place stays for the grace unless the socket was dismissed. */
  remove(socket: Socket): void {
    const { accountId, dismissed, connection } = socket.data
    this.#replacedEarly.delete(connection)
    if (!this.sockets.delete(socket)) return
    if (accountId) {
      const left = this.socketsOf(accountId) - 1
      if (left > 0) this.#perAccount.set(accountId, left)
      else this.#perAccount.delete(accountId)
    }
    if (this.#release(socket) && accountId && !dismissed)
      this.parts.room.drop(this.eventId, accountId, connection).catch(() => {
        // Redis is away: the place is kept until it is called, which is longer than promised.
      })
  }

  /** `room` and `line` as they are now, to one socket. */
  greet(socket: Socket): void {
    if (!this.snapshot) return
    send(socket, this.#broadcast.room(this.snapshot, this.parts.now()))
    socket.send(this.#broadcast.lineText)
  }

  /** The account of this socket has a place: tells it so, and takes over from an older socket of the account. */
  async joined(socket: Socket, entrant: Entrant): Promise<void> {
    const { data } = socket
    const older = this.#byAccount.get(entrant.accountId)
    if (older && older !== socket) this.#replace(older)
    if (!this.sockets.has(socket))
      return this.parts.room.drop(this.eventId, entrant.accountId, data.connection)
    this.#release(socket)
    this.#byAccount.set(entrant.accountId, socket)
    if (this.#replacedEarly.delete(data.connection)) void this.#askIfReplaced(socket)
    data.number = entrant.number!
    data.epoch = entrant.epoch
    data.state = 'waiting'
    const ticket = this.parts.room.signTicket(this.eventId, entrant)
    const { number, place, epoch, priority, deferred } = entrant
    send(socket, {
      type: 'joined',
      number: number!,
      place,
      ticket,
      epoch,
      ...(priority ? { priority: true as const } : {}),
      ...(deferred ? { deferred: true as const } : {}),
    })
    if (this.#broadcast.lineText) socket.send(this.#broadcast.lineText)
    await this.settle(socket, entrant)
  }

  /** Brings a socket from what it was told to where its account now stands. */
  async settle(socket: Socket, entrant: Entrant): Promise<void> {
    const { data } = socket
    if (this.#byAccount.get(entrant.accountId) !== socket) return
    switch (entrant.state) {
      case 'waiting':
        return this.#wait(socket, entrant)
      case 'called':
        return this.#call(socket, entrant.claimBefore!.getTime(), this.snapshot?.doorSeconds ?? 1)
      case 'door': {
        if (data.state !== 'door') {
          const claimBefore = new Date(Math.max(data.claimBefore, this.parts.now())).toISOString()
          send(socket, { type: 'turn', claimBefore, claimed: true })
        }
        data.state = 'door'
        data.checkAt = this.parts.now() + CHECK_EVERY_MS
        this.#unsettle(socket)
        return
      }
      case 'admitted': {
        const told = data.state === 'admitted'
        data.state = 'admitted'
        data.checkAt = entrant.expiresAt!.getTime()
        this.#unsettle(socket)
        if (told) return
        const pass = this.parts.room.signPass(this.eventId, entrant)
        send(socket, { type: 'admitted', pass, expiresAt: entrant.expiresAt!.toISOString() })
        return
      }
      case 'outside':
        this.end(socket, entrant.why ?? (data.state === 'admitted' ? 'pass_expired' : 'left'))
    }
  }

  /** The socket's place or pass is gone. Says so once, however many tell us. */
  end(socket: Socket, reason: EndedReason): void {
    if (this.#release(socket)) this.sayEnded(socket, reason)
  }

  sayEnded(socket: Socket, reason: EndedReason): void {
    socket.data.endings += 1
    send(socket, { type: 'ended', reason })
  }

  /** Each second: asks about those whose state runs out or may have changed without a word. */
  check(): void {
    const now = this.parts.now()
    const due = [...this.#unsettled].filter(({ data }) => data.checkAt <= now)
    void this.#ask(due)
  }

  take(snapshot: RoomSnapshot): void {
    const before = this.snapshot
    this.snapshot = snapshot
    if (snapshot.drawn > 0 && !this.#placeOf) this.#takeDraw(snapshot, before !== null)
    const roomChanged = this.#broadcast.take(snapshot)
    if (!before) {
      this.#places.beginAt(snapshot.serving)
      for (const socket of this.sockets) this.greet(socket)
      return
    }
    if (roomChanged) {
      // A pause moves every claimBefore; whoever has one is asked about, and told when it changed.
      for (const { data } of this.#unsettled) data.checkAt = 0
      this.check()
    }
    if (snapshot.epoch > before.epoch) void this.#returnAll(before.epoch)
    else if (snapshot.phase === 'closed') this.#endAll()
    else if (snapshot.serving > this.#places.toldServing)
      void this.#ask(this.#places.raiseTo(snapshot.serving))
  }

  #hear(news: RoomNews): void {
    const here = (accounts: string[]) =>
      accounts.map((account) => this.#byAccount.get(account)).filter((socket) => socket !== undefined)
    switch (news.kind) {
      case 'called': {
        // The draw has not been heard of here; the snapshot that follows tells both.
        if (this.snapshot?.phase === 'lobby') return
        // Whoever was called by an announcement that never came is asked about; the others can be told at once.
        if (news.from > this.#places.toldServing) void this.#ask(this.#places.raiseTo(news.from))
        for (const socket of this.#places.raise(news.from, news.to))
          if (socket.data.state === 'waiting')
            void this.#callSafely(socket, news.claimBefore, news.doorSeconds)
        void this.#ask(here(news.alone))
        return
      }
      case 'admitted':
        return void this.#ask(here(news.accounts))
      case 'ended':
        for (const socket of here(news.accounts)) this.end(socket, news.reason)
        return
      case 'replaced': {
        if (!news.socket.startsWith(`${this.parts.room.server}.`)) return
        const socket = this.#byAccount.get(news.account)
        if (socket?.data.connection === news.socket) void this.#askIfReplaced(socket)
        else if (this.#replacedEarly.size < EARLY_MAX) this.#replacedEarly.add(news.socket)
        return
      }
      case 'missed':
        for (const { data } of this.#unsettled) if (data.state === 'called') data.checkAt = 0
        return this.check()
      case 'drawn':
      case 'changed':
      // The snapshot that follows tells.
    }
  }

  /** Places are drawn: everybody is told with one frame, and every socket here stands at its place. */
  #takeDraw(snapshot: RoomSnapshot, tell: boolean): void {
    const placeOf = drawnPlaces(snapshot)
    this.#placeOf = placeOf
    if (tell) this.#publish('all', JSON.stringify(drawFrame(snapshot)))
    for (const socket of this.#byAccount.values()) {
      const { data } = socket
      if (data.state !== 'waiting' || data.place !== UNDRAWN) continue
      this.#places.stand(socket, placeOf(data.number))
      this.#places.lineUp(socket)
    }
  }

  async #wait(socket: Socket, entrant: Entrant): Promise<void> {
    const { data } = socket
    data.state = 'waiting'
    this.#places.stand(socket, entrant.place ?? this.#placeOf?.(entrant.number!) ?? UNDRAWN)
    if (data.place === UNDRAWN) {
      data.checkAt = Infinity
      this.#unsettled.delete(socket)
      return
    }
    const inLine = data.place >= this.#places.toldServing && !entrant.deferred
    if (inLine) this.#places.lineUp(socket)
    // Stepped back, back from a lost epoch, or called since Redis was asked: looked at alone.
    data.checkAt = inLine ? Infinity : this.parts.now() + CHECK_EVERY_MS
    if (inLine) this.#unsettled.delete(socket)
    else this.#unsettle(socket)
  }

  async #call(socket: Socket, claimBefore: number, doorSeconds: number): Promise<void> {
    const { data } = socket
    const known = data.state === 'called' && Math.abs(data.claimBefore - claimBefore) < CHECK_EVERY_MS / 2
    data.state = 'called'
    data.claimBefore = claimBefore
    data.checkAt = claimBefore
    this.#places.setTier(socket, 'near')
    this.#unsettle(socket)
    if (doorSeconds === 0) {
      const move = await this.parts.room.claim(this.eventId, data.accountId!)
      if (move.ok) return this.settle(socket, move.entrant)
      // Lets in by itself once the proof is there; until then it is a turn like any other.
      data.checkAt = Math.min(claimBefore, this.parts.now() + CHECK_EVERY_MS)
      if (known) return
      send(socket, { type: 'turn', claimBefore: new Date(claimBefore).toISOString() })
      sendError(socket, move.refusal, move.message)
    } else if (!known) send(socket, { type: 'turn', claimBefore: new Date(claimBefore).toISOString() })
  }

  async #callSafely(socket: Socket, claimBefore: number, doorSeconds: number): Promise<void> {
    try {
      await this.#call(socket, claimBefore, doorSeconds)
    } catch {
      socket.data.checkAt = 0
    }
  }

  #unsettle(socket: Socket): void {
    this.#places.stepOut(socket)
    this.#unsettled.add(socket)
  }

  /** Takes a socket out of the line; false when it was not in it. */
  #release(socket: Socket): boolean {
    const { data } = socket
    this.#unsettled.delete(socket)
    this.#places.stepOut(socket)
    data.state = 'outside'
    data.checkAt = Infinity
    if (this.#byAccount.get(data.accountId ?? '') !== socket) return false
    this.#byAccount.delete(data.accountId!)
    if (this.sockets.has(socket)) this.#places.setTier(socket, 'far')
    return true
  }

  #replace(socket: Socket): void {
    socket.data.dismissed = true
    this.end(socket, 'replaced')
    socket.close(CLOSE_CODES.replaced, 'replaced by a newer tab')
  }

  #endAll(): void {
    for (const socket of this.#byAccount.values())
      if (socket.data.state !== 'admitted') this.end(socket, 'closed')
  }

  /** Asks Redis where these stand and tells them; whoever cannot be asked now is asked again in a second. */
  async #ask(sockets: Socket[]): Promise<void> {
    await this.#inBatches(sockets, async (socket) => {
      const { data } = socket
      const entrant = await this.parts.room.entrant(this.eventId, data.accountId!)
      if (entrant.state !== 'outside' || entrant.epoch <= data.epoch) return this.settle(socket, entrant)
      // Of a lost epoch: a place comes back by its ticket, a pass when the servers have returned what they remember.
      if (data.state !== 'admitted') return this.#return(socket)
      const heldUntil = this.snapshot?.heldUntil ?? 0
      if (heldUntil <= this.parts.now()) return this.settle(socket, entrant)
      data.checkAt = heldUntil
    })
  }

  /** Redis was lost: everybody connected here comes back to the number they had. */
  async #returnAll(lostEpoch: number): Promise<void> {
    this.#places.beginAt(this.snapshot!.serving)
    const lost = [...this.#byAccount.values()].filter(
      ({ data }) => data.state !== 'admitted' && data.epoch <= lostEpoch,
    )
    await this.#inBatches(lost, (socket) => this.#return(socket))
  }

  async #return(socket: Socket): Promise<void> {
    const { accountId, number, epoch, connection } = socket.data
    const { room } = this.parts
    const place = { accountId: accountId!, number, epoch } as Entrant
    const ticket = room.signTicket(this.eventId, place)
    const move = await room.join(this.eventId, accountId!, { ticket, socket: connection })
    if (move.ok) await this.joined(socket, move.entrant)
  }

  /** The line had given this server up and started everybody's grace: each says its name again, unless a newer tab has. */
  async #nameAgain(): Promise<void> {
    await this.#inBatches([...this.#byAccount.values()], (socket) => this.#holdOn(socket))
  }

  /** An announcement may be older than the socket's last word: only the line itself knows who has the place now. */
  async #askIfReplaced(socket: Socket): Promise<void> {
    await this.#inBatches([socket], () => this.#holdOn(socket))
  }

  /** Who has the place: another socket, and this one goes; nobody any more, and this one takes it. */
  async #holdOn(socket: Socket): Promise<void> {
    const { accountId, connection } = socket.data
    const { room } = this.parts
    let entrant = await room.entrant(this.eventId, accountId!)
    if (entrant.socket !== '' && entrant.socket !== connection) {
      // The other one may have been closed while its own join was under way: of two, one must stay.
      await Bun.sleep(HOLD_ON_MS)
      entrant = await room.entrant(this.eventId, accountId!)
    }
    if (this.#byAccount.get(accountId!) !== socket) return
    if (entrant.socket !== '' && entrant.socket !== connection) return this.#replace(socket)
    if (entrant.state === 'outside') return this.settle(socket, entrant)
    const move = await room.join(this.eventId, accountId!, { socket: connection })
    if (move.ok) await this.settle(socket, move.entrant)
  }

  async #inBatches(sockets: Socket[], work: (socket: Socket) => Promise<void>): Promise<void> {
    for (let i = 0; i < sockets.length; i += ASK_AT_ONCE)
      await Promise.all(
        sockets.slice(i, i + ASK_AT_ONCE).map(async (socket) => {
          try {
            await work(socket)
          } catch (fault) {
            if (toRefusal(fault).code === 'internal') throw fault
            socket.data.checkAt = 0
            if (this.#byAccount.get(socket.data.accountId ?? '') === socket) this.#unsettle(socket)
          }
        }),
      ).catch(() => {})
  }
}
