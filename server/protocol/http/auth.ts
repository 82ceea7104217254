// Owns the language of accounts: sign-in, sessions, roles, personal data.
import { Type, type Static } from '@sinclair/typebox'
import { LANGUAGES, LIMITS, PERMISSIONS, ROLE_NAMES } from '../codes.ts'
import { Email, Id, Instant, Money, Name, PageQuery, SeatId, body, nullable, words } from './fields.ts'

const Password = Type.String({ minLength: LIMITS.passwordMin, maxLength: LIMITS.passwordMax })
const ChosenLanguage = words(LANGUAGES)
export const RegisterBody = body({
  email: Email,
  password: Password,
  fullName: Name,
  language: Type.Optional(ChosenLanguage),
})
export const ProfileBody = body({
  fullName: Type.Optional(Name),
  language: Type.Optional(ChosenLanguage),
})
export const LoginBody = body({
  email: Email,
  password: Type.String({ minLength: 1, maxLength: LIMITS.passwordMax }),
})
export const EmailBody = body({ email: Email })
export const RefreshBody = Type.Optional(
  body({ refreshToken: Type.Optional(Type.String({ maxLength: 200 })) }),
)
const MailToken = Type.String({ minLength: 1, maxLength: 200 })
export const VerifyQuery = Type.Object({ token: MailToken, email: Email })
export const ResetPasswordBody = body({ token: MailToken, password: Password })
export const UsersQuery = body({
  query: Type.Optional(Type.String({ maxLength: LIMITS.nameMax })),
  ...PageQuery,
})
export const PageOnlyQuery = body(PageQuery)
export const AssignPermissionsBody = body({ permissionIds: Type.Array(Id, { minItems: 1, maxItems: 100 }) })
export const AssignRolesBody = body({ roleIds: Type.Array(Id, { maxItems: 20 }) })

export const UserView = Type.Object({
  id: Id,
  email: Type.String(),
  fullName: Type.String(),
  /** What mails are written in; null until the person said so. */
  language: nullable(ChosenLanguage),
  verified: Type.Boolean(),
  roles: Type.Array(words(ROLE_NAMES)),
  permissions: Type.Array(words(PERMISSIONS)),
  createdAt: Instant,
})
export type UserView = Static<typeof UserView>
/** `refreshToken` is present only for a client that sends `X-Client: api`. */
export const LoginView = Type.Object({
  accessToken: Type.String(),
  refreshToken: Type.Optional(Type.String()),
  user: UserView,
})
export type LoginView = Static<typeof LoginView>
export const TokenView = Type.Object({
  accessToken: Type.String(),
  refreshToken: Type.Optional(Type.String()),
})
export type TokenView = Static<typeof TokenView>
export const SessionView = Type.Object({
  id: Id,
  userAgent: Type.String(),
  createdAt: Instant,
  lastUsedAt: Instant,
  current: Type.Boolean(),
})
export type SessionView = Static<typeof SessionView>
export const RoleView = Type.Object({ id: Id, name: Type.String(), description: Type.String() })
export type RoleView = Static<typeof RoleView>
export const PermissionView = RoleView
export type PermissionView = RoleView
/** Everything kept about a person. */
export const PersonalDataView = Type.Object({
  account: Type.Object({
    id: Id,
    email: nullable(Type.String()),
    fullName: nullable(Type.String()),
    language: nullable(Type.String()),
    verifiedAt: nullable(Instant),
    createdAt: Instant,
  }),
  sessions: Type.Array(
    Type.Object({
      id: Id,
      userAgent: Type.String(),
      createdAt: Instant,
      lastUsedAt: Instant,
      endedAt: nullable(Instant),
    }),
  ),
  bookings: Type.Array(
    Type.Object({
      id: Id,
      eventId: Id,
      status: Type.String(),
      total: Money,
      seatIds: Type.Array(SeatId),
      createdAt: Instant,
      confirmedAt: nullable(Instant),
    }),
  ),
  events: Type.Array(Type.Object({ id: Id, name: Type.String(), status: Type.String(), createdAt: Instant })),
  /** Lines that let the person in ahead: by an organiser's list, or an invitation that was used. */
  priority: Type.Array(
    Type.Object({ eventId: Id, by: words(['list', 'invitation'] as const), since: Instant }),
  ),
})
