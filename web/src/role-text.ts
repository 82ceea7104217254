// Decides how roles and permissions read: those that everybody has in the person's language, any other in its maker's words.
import { m } from '#messages'
import type { Permission, RoleName } from '../../server/protocol/codes.ts'
import type { PermissionView, RoleView } from '../../server/protocol/http.ts'

const MAY = {
  'user:manage': m.admin_may_user_manage,
  'role:assign': m.admin_may_role_assign,
  'role:permission:read:all': m.admin_may_role_permission_read_all,
  'role:permission:remove': m.admin_may_role_permission_remove,
  'event:create': m.admin_may_event_create,
  'event:update:own': m.admin_may_event_update_own,
  'event:delete:own': m.admin_may_event_delete_own,
  'event:stats:own': m.admin_may_event_stats_own,
  'seat:manage:own': m.admin_may_seat_manage_own,
  'room:manage:own': m.admin_may_room_manage_own,
  'booking:create:own': m.admin_may_booking_create_own,
  'booking:read:own': m.admin_may_booking_read_own,
  'booking:cancel:own': m.admin_may_booking_cancel_own,
  'booking:read:all': m.admin_may_booking_read_all,
  'payment:confirm:own': m.admin_may_payment_confirm_own,
  'payment:refund:own': m.admin_may_payment_refund_own,
  'ticket:scan': m.admin_may_ticket_scan,
  'operation:read:all': m.admin_may_operation_read_all,
  'operation:retry': m.admin_may_operation_retry,
} as const satisfies Record<Permission, () => string>

const ROLES = {
  USER: m.admin_role_user,
  ORGANIZER: m.admin_role_organizer,
  ADMIN: m.admin_role_admin,
  STAFF: m.admin_role_staff,
} as const satisfies Record<RoleName, () => string>

export const sayPermission = ({ name, description }: PermissionView): string =>
  (MAY as Record<string, (() => string) | undefined>)[name]?.() ?? description

/** "STAFF: Works at the door". */
export const sayRole = ({ name, description }: RoleView): string =>
  `${name}: ${(ROLES as Record<string, (() => string) | undefined>)[name]?.() ?? description}`
