// Decides what everybody at an event is told together, and how often: `room` and `notice` on every change, `line` by tier.
import type { LineFrame, RoomFrame } from '../protocol/socket.ts'
import { TIERS, type Tier } from './connection.ts'
import type { RoomSnapshot } from './entrant.ts'

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
  ) {}

  /** Tells what changed since the last snapshot; true when the room itself did. The first one is only remembered. */
  take(snapshot: RoomSnapshot): boolean {
    const line = lineFrame(snapshot)
    this.lineText = JSON.stringify(line)
    const first = this.#roomText === ''
    const text = JSON.stringify({ ...roomFrame(snapshot, 0), message: undefined })
    const changed = !first && text !== this.#roomText
    this.#roomText = text
    if (changed) this.publish('all', JSON.stringify(roomFrame(snapshot, this.now())))
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

export const lineFrame = (snapshot: RoomSnapshot): LineFrame => ({
  type: 'line',
  serving: snapshot.serving,
  waiting: snapshot.waiting,
  perMinute: snapshot.perMinute,
  gone: snapshot.gone,
  seatsLeft: snapshot.seatsLeft,
  at: new Date(snapshot.at).toISOString(),
})

export function roomFrame(snapshot: RoomSnapshot, now: number): RoomFrame {
  const { phase, lobbyAt, onSaleAt, doorSeconds, passSeconds, epoch, noticeText, priorityShare, challenge } =
    snapshot
  return {
    type: 'room',
    phase,
    lobbyAt: lobbyAt?.toISOString() ?? null,
    onSaleAt: onSaleAt?.toISOString() ?? null,
    commitment: null,
    doorSeconds,
    passSeconds,
    epoch,
    serverTime: new Date(now).toISOString(),
    priorityShare,
    ...(challenge === 'off' ? {} : { challenge }),
    ...(noticeText ? { message: noticeText } : {}),
  }
}
