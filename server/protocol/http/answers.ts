// Owns the two envelopes every answer comes in, and how the document tells of them.
import { Type, type TSchema } from '@sinclair/typebox'
import { ERROR_STATUS, REASON, type ErrorCode } from '../codes.ts'
import { Instant, words } from './fields.ts'

export interface Success<T> {
  statusCode: number
  message: string
  data: T
}

export interface ErrorDetail {
  path: string
  message: string
}

export interface ErrorAnswer {
  statusCode: number
  message: string
  error: string
  code: ErrorCode
  timestamp: string
  path: string
  requestId: string
  details?: ErrorDetail[] | { seatIds: string[] }
}

const ErrorAnswerSchema = (codes: ErrorCode[]) =>
  Type.Object({
    statusCode: Type.Integer(),
    message: Type.String(),
    error: Type.String(),
    code: words(codes),
    timestamp: Instant,
    path: Type.String(),
    requestId: Type.String(),
    details: Type.Optional(Type.Unknown()),
  })

/** Codes any route may answer, whatever it does. */
const COMMON_CODES: ErrorCode[] = ['rate_limited', 'internal', 'overloaded', 'store_unavailable']

/**
 * The OpenAPI `responses` of one operation: its success and every error code it may answer, grouped by status.
 * Goes into `detail.responses`, so that documenting an answer costs nothing at run time.
 */
export function documentAnswers(
  success: { status: number; data?: TSchema; contentType?: string; description: string },
  codes: ErrorCode[],
) {
  const envelope = Type.Object({
    statusCode: Type.Integer(),
    message: Type.String(),
    data: success.data ?? Type.Null(),
  })
  const content = success.contentType
    ? { [success.contentType]: { schema: { type: 'string' } } }
    : { 'application/json': { schema: envelope as unknown as object } }
  const responses: Record<string, { description: string; content: Record<string, { schema: object }> }> = {
    [success.status]: { description: success.description, content },
  }
  return Object.assign(responses, documentRefusals([...codes, ...COMMON_CODES]))
}

/** The `responses` of these codes, grouped by status. */
export function documentRefusals(codes: Iterable<ErrorCode>) {
  const byStatus = Map.groupBy(new Set(codes), (code) => ERROR_STATUS[code])
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      String(status),
      {
        description: `${REASON[status]}: ${group.join(', ')}`,
        content: { 'application/json': { schema: ErrorAnswerSchema(group) as object } },
      },
    ]),
  )
}
