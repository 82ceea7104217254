// Decides when a buyer's admission ends by itself: once paid, the next person in line comes in.
import { leaveRoom } from '../net/calls.ts'
import { keepPass, oweLeave, owesLeave } from '../net/keep.ts'
import { lineOf } from './lines.svelte.ts'

/** Nobody knows yet whether it was given back. */
const UNSETTLED: ReadonlySet<string> = new Set(['unreachable', 'overloaded', 'store_unavailable'])

/** Gives the admission back, once a payment; an unanswered try is made again when the screen is next shown. */
export async function leaveWhenPaid(eventId: string): Promise<void> {
  if (!owesLeave(eventId)) return
  const told = lineOf(eventId)?.leave() ?? false
  const answer = told ? null : await leaveRoom(eventId)
  // The server may know of no admission any more: then there is nothing left to give back.
  const settled = told || answer?.ok || (answer !== null && !UNSETTLED.has(answer.problem.code))
  if (!settled) return
  keepPass(eventId, null)
  oweLeave(eventId, false)
}
