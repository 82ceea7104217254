// Owns what is asked at a door. Every question ends within a time a person stands and waits.
import type { AdmissionsView, ScanView } from '../../../server/protocol/http.ts'
import { ask } from './api.ts'

const ANSWER_WITHIN_MS = 8_000

export const scanTicket = (body: { code: string; gate: string; eventId: string }) =>
  ask<ScanView>('/ticket/scan', { method: 'POST', body, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })

export const countAdmissions = (query: { eventId: string; gate: string; since: string }) =>
  ask<AdmissionsView>('/ticket/admissions', { query, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
