// Owns what became of a line's invitations as its organiser sees it, and taking unused ones back.
import { m } from '#messages'
import { LIMITS } from '../../../server/protocol/codes.ts'
import type { InvitationBatchView } from '../../../server/protocol/room-desk.ts'
import { formatCount } from '../format.ts'
import type { Problem } from '../net/api.ts'
import { listInvitations, withdrawInvitations } from '../net/organiser-calls.ts'

export class Invitations {
  loaded = $state(false)
  batches = $state.raw<InvitationBatchView[]>([])
  nextCursor = $state<string | null>(null)
  /** Links as they are pasted. */
  pasted = $state('')
  busy = $state(false)
  said = $state('')
  problem = $state.raw<Problem | null>(null)
  readonly #eventId: string

  constructor(eventId: string) {
    this.#eventId = eventId
  }

  async load(): Promise<void> {
    const answer = await listInvitations(this.#eventId)
    this.problem = answer.ok ? null : answer.problem
    if (!answer.ok) return
    this.loaded = true
    this.batches = answer.data.items
    this.nextCursor = answer.data.nextCursor
  }

  async more(): Promise<void> {
    if (this.nextCursor === null) return
    const answer = await listInvitations(this.#eventId, this.nextCursor)
    this.problem = answer.ok ? null : answer.problem
    if (!answer.ok) return
    this.batches = [...this.batches, ...answer.data.items]
    this.nextCursor = answer.data.nextCursor
  }

  async withdrawBatch(batch: string): Promise<void> {
    if (this.busy) return
    this.busy = true
    this.#say(await this.#withdraw({ batch }))
    this.busy = false
  }

  /** Some at a time; what could not be withdrawn stays in the field. */
  async withdrawPasted(): Promise<void> {
    if (this.busy) return
    this.busy = true
    let left = this.pasted.split(/\s+/).filter((part) => part !== '')
    let withdrawn: number | null = 0
    while (left.length > 0) {
      const more = await this.#withdraw({ invitations: left.slice(0, LIMITS.invitationsPerWithdrawal) })
      if (more === null) break
      withdrawn += more
      left = left.slice(LIMITS.invitationsPerWithdrawal)
    }
    this.pasted = left.join('\n')
    this.#say(withdrawn)
    this.busy = false
  }

  async #withdraw(what: Parameters<typeof withdrawInvitations>[1]): Promise<number | null> {
    const answer = await withdrawInvitations(this.#eventId, what)
    this.problem = answer.ok ? null : answer.problem
    return answer.ok ? answer.data.withdrawn : null
  }

  #say(withdrawn: number | null): void {
    this.said =
      withdrawn === null ? '' : m.guest_withdrew({ count: withdrawn, shown: formatCount(withdrawn) })
    if (this.problem === null) void this.load()
  }
}
