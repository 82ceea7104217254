// Decides the sign and the word of each answer at the door; no two answers share either.
import { m } from '#messages'
import type { DoorAnswer } from '../../state/door.svelte.ts'

type Kind = DoorAnswer['kind']

export const SIGNS: Record<Kind, string> = {
  admitted: '✓',
  already_used: '2×',
  invalid: '✕',
  wrong_event: '≠',
  refunded: '↩',
  unanswered: '?',
}

export const WORDS: Record<Kind, () => string> = {
  admitted: m.scan_admitted,
  already_used: m.scan_used,
  invalid: m.scan_invalid,
  wrong_event: m.scan_wrong,
  refunded: m.scan_refunded,
  unanswered: m.scan_no_answer,
}
