// Owns how an operation is described in OpenAPI: one call beside each route names its answers, refusals and access.
import type { TSchema } from '@sinclair/typebox'
import type { ErrorCode, Permission } from './protocol/codes.ts'
import { documentAnswers } from './protocol/http.ts'

export type Access = 'anyone' | 'user' | Permission

interface Operation {
  summary: string
  /** What a reader needs beyond the summary. */
  description?: string
  tag: 'Auth' | 'Event' | 'Room' | 'Booking' | 'Payment' | 'Ticket' | 'Operations'
  access: Access
  success: { status: number; data?: TSchema; contentType?: string; description: string }
  /** Refusals of this route's own; those of its access and of every route are added. */
  codes?: ErrorCode[]
  /** The route needs an admission pass when the event's room is on. */
  pass?: boolean
  /** The route takes an Idempotency-Key. */
  idempotent?: boolean
  /** The route takes a body, so it can be refused as invalid or too large. */
  body?: boolean
}

const header = (name: string, description: string, required = false) => ({
  name,
  in: 'header' as const,
  required,
  description,
  schema: { type: 'string' as const },
})

/** Builds a route's `detail`. */
export function describe(operation: Operation) {
  const codes = new Set<ErrorCode>(operation.codes)
  if (operation.access !== 'anyone')
    for (const code of ['unauthenticated', 'token_expired'] as const) codes.add(code)
  if (operation.access !== 'anyone' && operation.access !== 'user') codes.add('permission_denied')
  if (operation.body)
    for (const code of ['request_invalid', 'body_too_large', 'origin_refused'] as const) codes.add(code)
  if (operation.pass)
    for (const code of ['pass_required', 'pass_invalid', 'pass_expired'] as const) codes.add(code)
  if (operation.idempotent)
    for (const code of ['idempotency_key_reused', 'idempotency_in_progress'] as const) codes.add(code)
  const parameters = [
    ...(operation.idempotent
      ? [header('Idempotency-Key', 'Makes a repeat safe: 1–128 printable characters.')]
      : []),
    ...(operation.pass ? [header('X-Admission-Pass', 'Needed while the event’s room is on.')] : []),
  ]
  return {
    summary: operation.summary,
    tags: [operation.tag],
    description: [operation.description, accessSentence(operation.access)].filter(Boolean).join('\n\n'),
    ...(operation.access === 'anyone' ? {} : { security: [{ bearer: [] }, { cookie: [] }] }),
    ...(parameters.length > 0 ? { parameters } : {}),
    responses: documentAnswers(operation.success, [...codes]),
  }
}

function accessSentence(access: Access): string {
  if (access === 'anyone') return 'Anyone.'
  return access === 'user' ? 'Signed-in accounts.' : `Needs \`${access}\`.`
}
