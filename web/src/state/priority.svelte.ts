// Owns who enters a line with priority as its organiser sees it: the share, the list, and invitations just made.
import { m } from '#messages'
import { LIMITS } from '../../../server/protocol/codes.ts'
import type { PriorityView } from '../../../server/protocol/room-desk.ts'
import type { Answer, Problem } from '../net/api.ts'
import {
  addPriorityEmails,
  getPriority,
  makeInvitations,
  removePriorityEmails,
  savePriorityShare,
} from '../net/organiser-calls.ts'
import { formatCount } from '../format.ts'

/** Well below what a request may hold, however long the addresses are. */
const EMAILS_A_REQUEST = 200

export class Priority {
  loaded = $state(false)
  share = $state<number | null>(0)
  listed = $state(0)
  emails = $state.raw<PriorityView['items']>([])
  nextCursor = $state<string | null>(null)
  /** Addresses as they are typed or pasted. */
  typed = $state('')
  count = $state<number | null>(10)
  links = $state.raw<string[]>([])
  /** Grows with every press that made some. */
  made = $state(0)
  busy = $state<'share' | 'list' | 'invitations' | null>(null)
  said = $state('')
  problem = $state.raw<Problem | null>(null)
  readonly #eventId: string
  #done: Promise<void> = Promise.resolve()
  #removed: Promise<void> = Promise.resolve()

  constructor(eventId: string) {
    this.#eventId = eventId
  }

  async load(): Promise<void> {
    const answer = await getPriority(this.#eventId)
    this.problem = answer.ok ? null : answer.problem
    if (!answer.ok) return
    if (!this.loaded) this.share = answer.data.share
    this.loaded = true
    this.#show(answer.data)
    this.emails = answer.data.items
  }

  async more(): Promise<void> {
    if (this.nextCursor === null) return
    const answer = await getPriority(this.#eventId, this.nextCursor)
    if (!answer.ok) return void (this.problem = answer.problem)
    this.#show(answer.data)
    this.emails = [...this.emails, ...answer.data.items]
  }

  saveShare(): Promise<void> {
    return this.#do('share', async () => {
      const answer = await savePriorityShare(this.#eventId, this.share ?? 0)
      if (answer.ok) this.said = m.guest_share_saved()
      return answer
    })
  }

  /** Adds what was typed, some hundred addresses at a time; what could not be added stays typed. */
  addTyped(): Promise<void> {
    return this.#do('list', async () => {
      let left = addressesIn(this.typed)
      let added = 0
      let answer: Answer<{ added: number }> | null = null
      while (left.length > 0) {
        answer = await addPriorityEmails(this.#eventId, left.slice(0, EMAILS_A_REQUEST))
        if (!answer.ok) break
        added += answer.data.added
        left = left.slice(EMAILS_A_REQUEST)
      }
      this.typed = left.join('\n')
      this.said = m.guest_added({ count: added, shown: formatCount(added) })
      await this.#reload()
      return answer
    })
  }

  /** Whoever takes off two in a row means both: each waits for what is under way. */
  remove(email: string): Promise<void> {
    return (this.#removed = this.#removed.then(async () => {
      await this.#done
      await this.#do('list', async () => {
        const answer = await removePriorityEmails(this.#eventId, [email])
        if (answer.ok) {
          this.said = m.guest_removed({ email })
          await this.#reload()
        }
        return answer
      })
    }))
  }

  invite(): Promise<void> {
    return this.#do('invitations', async () => {
      const answer = await makeInvitations(this.#eventId, this.count ?? 0)
      if (answer.ok) {
        this.links = answer.data.links
        const count = this.links.length
        this.said = m.guest_invitations_made({ count, shown: formatCount(count) })
        this.made++
      }
      return answer
    })
  }

  /** What is under way is not done twice by a second press. */
  async #do(what: Priority['busy'], act: () => Promise<Answer<unknown> | null>): Promise<void> {
    if (this.busy) return
    this.busy = what
    this.said = ''
    return (this.#done = act().then((answer) => {
      this.busy = null
      this.problem = answer === null || answer.ok ? null : answer.problem
    }))
  }

  async #reload(): Promise<void> {
    const answer = await getPriority(this.#eventId)
    if (!answer.ok) return
    this.#show(answer.data)
    this.emails = answer.data.items
  }

  #show({ listed, nextCursor }: PriorityView): void {
    this.listed = listed
    this.nextCursor = nextCursor
  }
}

/** Whatever stands between addresses: commas, semicolons, spaces, lines. */
const addressesIn = (typed: string): string[] => [
  ...new Set(
    typed
      .split(/[\s,;]+/)
      .map((part) => part.trim().toLowerCase())
      .filter((part) => part !== ''),
  ),
]

export const SHARE_MAX = LIMITS.priorityShareMax
export const INVITATIONS_MAX = LIMITS.invitationsPerRequest
