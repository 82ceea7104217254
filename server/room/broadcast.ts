// Decides what everybody at an event is told together, and how often: `room` and `notice` on every change, `line` by tier.
import { DRAW_ALGORITHM } from '../protocol/draw.ts'
import type { DrawFrame, LineFrame, RoomFrame } from '../protocol/socket.ts'
import { comeBackMs } from './come-back.ts'
import { TIERS, type Tier } from './connection.ts'
import type { RoomSnapshot } from './entrant.ts'
import { paceOf, reachOf } from './outlook.ts'

const TOLD_EVERY_MS: Record<Tier, number> = { near: 250, mid: 2_000, far: 5_000 }
/** A line that stands still is told this often all the same. */
const STILL_EVERY_MS = 10_000

export class LineBroadcast {
  /** The latest `line`, ready to send to one socket; empty before the first snapshot. */
  lineText = ''
  #roomText = ''
  #noticeId = 0
  #toldAt: Record<Tier, number> = { near: 0, mid: 0, far: 0 }
  #told: Record<Tier, string> = { near: '', mid: '', far: '' }

  constructor(
    private readonly now: () => number,
    private readonly publish: (which: Tier | 'all', text: string) => void,
    private readonly comeBack: () => number = () => comeBackMs(0),
  ) {}

  /** Tells what changed since the last snapshot; true when the room itself did. The first one is only remembered. */
  take(snapshot: RoomSnapshot): boolean {
    const line = lineFrame(snapshot)
    this.lineText = JSON.stringify(line)
    const first = this.#roomText === ''
    const text = JSON.stringify({ ...this.room(snapshot, 0), message: undefined })
    const changed = !first && text !== this.#roomText
    this.#roomText = text
    if (changed) this.publish('all', JSON.stringify(this.room(snapshot, this.now())))
    const { noticeId, noticeText } = snapshot
    if (!first && noticeId > this.#noticeId && noticeText)
      this.publish(
        'all',
        JSON.stringify({ type: 'notice', id: String(noticeId), text: noticeText, to: 'everyone' }),
      )
    this.#noticeId = noticeId
    if (!first) this.#tellLine(`${line.serving} ${line.waiting} ${line.perMinute} ${line.seatsLeft}`)
    return changed
  }

  /** The frame of one socket: what everybody may know, and how this server's sockets come back when it is lost. */
  room(snapshot: RoomSnapshot, now: number): RoomFrame {
    return { ...roomFrame(snapshot, now), comeBackMs: this.comeBack() }
  }

  #tellLine(what: string): void {
    const now = this.now()
    for (const tier of TIERS) {
      const every = this.#told[tier] === what ? STILL_EVERY_MS : TOLD_EVERY_MS[tier]
      if (now - this.#toldAt[tier] < every) continue
      this.#toldAt[tier] = now
      this.#told[tier] = what
      this.publish(tier, this.lineText)
    }
  }
}

export function lineFrame(snapshot: RoomSnapshot): LineFrame {
  const pace = paceOf(snapshot)
  return {
    type: 'line',
    serving: snapshot.serving,
    waiting: snapshot.waiting,
    perMinute: snapshot.perMinute,
    gone: snapshot.gone,
    seatsLeft: snapshot.seatsLeft,
    flow: pace.flow && [brief(pace.flow[0]), brief(pace.flow[1])],
    leaving: brief(pace.leaving),
    step: brief(pace.step),
    reach: reachOf(snapshot, pace),
    at: new Date(snapshot.at).toISOString(),
  }
}

/** Nobody knows it better, and the frame goes to everybody. */
const brief = (value: number) => Number(value.toPrecision(3))

/** To all, once the places are drawn; whoever has a number below `entrants` computes the place from it. */
export const drawFrame = ({ seed, drawn, root }: RoomSnapshot): DrawFrame => ({
  type: 'draw',
  seed: seed!,
  entrants: drawn,
  root: root!,
  algorithm: DRAW_ALGORITHM,
})

export function roomFrame(snapshot: RoomSnapshot, now: number): RoomFrame {
  const { phase, lobbyAt, onSaleAt, doorSeconds, passSeconds, epoch, noticeText, priorityShare, challenge } =
    snapshot
  return {
    type: 'room',
    phase,
    lobbyAt: lobbyAt?.toISOString() ?? null,
    onSaleAt: onSaleAt?.toISOString() ?? null,
    commitment: snapshot.commitment,
    ...(snapshot.root ? { root: snapshot.root } : {}),
    doorSeconds,
    passSeconds,
    epoch,
    serverTime: new Date(now).toISOString(),
    priorityShare,
    ...(challenge === 'off' ? {} : { challenge }),
    ...(noticeText ? { message: noticeText } : {}),
  }
}
