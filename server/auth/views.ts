// Decides what of an account is shown.
import type { Profile } from '../../db/profiles.ts'
import type { Permission, RoleName } from '../protocol/codes.ts'
import type { UserView } from '../protocol/http.ts'

export function userView(profile: Profile): UserView {
  return {
    ...profile,
    roles: profile.roles as RoleName[],
    permissions: profile.permissions as Permission[],
    createdAt: profile.createdAt.toISOString(),
  }
}
