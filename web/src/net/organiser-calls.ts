// Owns the organiser's and the administrator's questions to the server: one function a route, typed by the protocol.
import type {
  AuditView,
  BookingView,
  CreateEventBody,
  DeadLetterView,
  CreateSeatsBody,
  EventStatsView,
  EventSummary,
  EventView,
  Page,
  PatchSeatsBody,
  PermissionView,
  RehearsalView,
  RoleView,
  RoomBody,
  RoomSettingsView,
  RoomStatsView,
  RoomView,
  SaleHistoryView,
  SectionBody,
  TierChangeBody,
  UpdateEventBody,
  UserView,
} from '../../../server/protocol/http.ts'
import type {
  InvitationBatchView,
  InvitationsView,
  PriorityAddedView,
  PriorityRemovedView,
  PriorityView,
  StepView,
  WithdrawnView,
} from '../../../server/protocol/room-desk.ts'
import { LIMITS } from '../../../server/protocol/codes.ts'
import { ask } from './api.ts'

const at = (id: string) => encodeURIComponent(id)
const event = (eventId: string) => `/event/${at(eventId)}`

export const listMyEvents = (cursor?: string) =>
  ask<Page<EventSummary>>('/event', { query: { mine: 'true', cursor } })
/** @param key one for one wish: pressing twice makes one event */
export const createEvent = (body: CreateEventBody, key: string) =>
  ask<EventView>('/event', { method: 'POST', body, key })
export const updateEvent = (eventId: string, body: UpdateEventBody) =>
  ask<EventView>(event(eventId), { method: 'PATCH', body })
export const deleteEvent = (eventId: string) => ask(event(eventId), { method: 'DELETE' })
export const publishEvent = (eventId: string) =>
  ask<EventView>(`${event(eventId)}/publish`, { method: 'POST' })
export const cancelEvent = (eventId: string) => ask<EventView>(`${event(eventId)}/cancel`, { method: 'POST' })

export const createSeats = (eventId: string, body: CreateSeatsBody, key: string) =>
  ask<{ created: number }>(`${event(eventId)}/seats`, { method: 'POST', body, key })
export const changeSection = (eventId: string, section: string, body: SectionBody) =>
  ask<{ total: number }>(`${event(eventId)}/sections`, { method: 'PUT', query: { section }, body })
export const removeSection = (eventId: string, section: string) =>
  ask<{ total: number }>(`${event(eventId)}/sections`, { method: 'DELETE', query: { section } })
export const changeTier = (eventId: string, tier: string, body: TierChangeBody) =>
  ask<{ total: number }>(`${event(eventId)}/tiers`, { method: 'PATCH', query: { tier }, body })
export const patchSeats = (eventId: string, body: PatchSeatsBody) =>
  ask<{ changed: number }>(`${event(eventId)}/seats`, { method: 'PATCH', body })

export const getEventStats = (eventId: string) => ask<EventStatsView>(`${event(eventId)}/stats`)
/** The minutes behind, as the server kept them. */
export const getSaleHistory = (eventId: string) => ask<SaleHistoryView>(`${event(eventId)}/stats/history`)
/** Where the browser fetches the list of sold seats itself. */
export const salesAddress = (eventId: string) => `/api/v1${event(eventId)}/sales.csv`

export type RoomVerb = 'open' | 'pause' | 'resume' | 'close'
export const getRoomStats = (eventId: string) => ask<RoomStatsView>(`${event(eventId)}/room/stats`)
export const saveRoom = (eventId: string, body: RoomBody) =>
  ask<RoomSettingsView>(`${event(eventId)}/room`, { method: 'PUT', body })
export const controlRoom = (eventId: string, verb: RoomVerb) =>
  ask<RoomView>(`${event(eventId)}/room/${verb}`, { method: 'POST' })
export const sendNotice = (eventId: string, text: string) =>
  ask(`${event(eventId)}/room/notice`, { method: 'POST', body: { text } })

export const listSteps = (eventId: string, cursor?: string) =>
  ask<Page<StepView>>(`${event(eventId)}/room/steps`, { query: { cursor } })
/** Where the browser fetches the line itself. */
export const lineAddress = (eventId: string) => `/api/v1${event(eventId)}/room/line.csv`

const priority = (eventId: string) => `${event(eventId)}/room/priority`
export const getPriority = (eventId: string, cursor?: string) =>
  ask<PriorityView>(priority(eventId), { query: { cursor } })
export const savePriorityShare = (eventId: string, share: number) =>
  ask<RoomSettingsView>(priority(eventId), { method: 'PUT', body: { share } })
export const addPriorityEmails = (eventId: string, emails: string[]) =>
  ask<PriorityAddedView>(`${priority(eventId)}/list`, { method: 'POST', body: { emails } })
export const removePriorityEmails = (eventId: string, emails: string[]) =>
  ask<PriorityRemovedView>(`${priority(eventId)}/list`, { method: 'DELETE', body: { emails } })
export const makeInvitations = (eventId: string, count: number) =>
  ask<InvitationsView>(`${priority(eventId)}/invitations`, { method: 'POST', body: { count } })

export const listInvitations = (eventId: string, cursor?: string) =>
  ask<Page<InvitationBatchView>>(`${priority(eventId)}/invitations`, { query: { cursor } })
/** What is withdrawn already is not counted again: asking twice is harmless. */
export const withdrawInvitations = (eventId: string, what: { batch: string } | { invitations: string[] }) =>
  ask<WithdrawnView>(`${priority(eventId)}/invitations`, { method: 'DELETE', body: what })

/** Answer `not_found` where no rehearsal can be: outside a demo. */
export const getRehearsal = () => ask<RehearsalView>('/dev/rehearsal')
export const startRehearsal = (eventId: string, buyers: number) =>
  ask<RehearsalView>('/dev/rehearsal', { method: 'POST', body: { eventId, buyers } })
export const stopRehearsal = () => ask<RehearsalView>('/dev/rehearsal', { method: 'DELETE' })

export const listBookings = (eventId: string, cursor?: string) =>
  ask<Page<BookingView>>('/booking', { query: { scope: 'all', eventId, cursor } })
/** @param key one for one wish: pressing twice refunds once */
export const refundBooking = (bookingId: string, reason: string, key: string) =>
  ask<BookingView>(`/payment/${at(bookingId)}/refund`, { method: 'POST', body: { reason }, key })

export const listDeadLetters = (cursor?: string) =>
  ask<Page<DeadLetterView>>('/admin/dead-letters', { query: { cursor } })
export const retryDeadLetter = (id: string) => ask(`/admin/dead-letters/${at(id)}/retry`, { method: 'POST' })
/** `not_found` before the first. */
export const getAudit = () => ask<AuditView>('/admin/audit')

const all = { limit: LIMITS.pageMax }
export const listRoles = () => ask<Page<RoleView>>('/auth/admin/roles', { query: all })
export const listPermissions = () => ask<Page<PermissionView>>('/auth/admin/permissions', { query: all })
export const listRolePermissions = (roleId: string) =>
  ask<Page<PermissionView>>(`/auth/admin/roles/${at(roleId)}/permissions`, { query: all })
export const addRolePermissions = (roleId: string, permissionIds: string[]) =>
  ask<Page<PermissionView>>(`/auth/admin/roles/${at(roleId)}/permissions`, {
    method: 'POST',
    body: { permissionIds },
  })
export const removeRolePermission = (roleId: string, permissionId: string) =>
  ask<Page<PermissionView>>(`/auth/admin/roles/${at(roleId)}/permissions/${at(permissionId)}`, {
    method: 'DELETE',
  })
export const listUsers = (query: string, cursor?: string) =>
  ask<Page<UserView>>('/auth/admin/users', { query: { query: query || undefined, cursor } })
export const saveUserRoles = (userId: string, roleIds: string[]) =>
  ask<UserView>(`/auth/admin/users/${at(userId)}/roles`, { method: 'PUT', body: { roleIds } })
