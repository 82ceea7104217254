// Decides what an operator sees of a dead letter, an action, an audit and an outage.
import type { AuditResult } from '../../db/audit/results.ts'
import type { Freeze } from '../../db/bookings/hold-clock.ts'
import type { OperatorAction } from '../../db/operator-log.ts'
import type { listDeadLetters } from '../../db/outbox.ts'
import type { AuditView, DeadLetterView, FreezeView, OperatorActionView } from '../protocol/http.ts'

type DeadLetter = Awaited<ReturnType<typeof listDeadLetters>>[number]

export const deadLetterView = (letter: DeadLetter): DeadLetterView => ({
  id: String(letter.id),
  kind: letter.kind,
  about: { ...letter.payload },
  createdAt: letter.createdAt.toISOString(),
  deadAt: letter.deadAt.toISOString(),
  attempts: letter.attempts,
  lastError: letter.lastError,
})

export const actionView = ({ id, at, accountId, what, detail }: OperatorAction): OperatorActionView => ({
  id: String(id),
  at: at.toISOString(),
  accountId,
  what,
  detail,
})

export const auditView = ({ at, ...result }: AuditResult): AuditView => ({ at: at.toISOString(), ...result })

export const freezeView = ({ id, since, until, reason, endedBy, holds }: Freeze): FreezeView => ({
  id: String(id),
  since: since.toISOString(),
  until: until.toISOString(),
  reason,
  endedBy,
  holds,
})
