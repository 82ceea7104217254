// Owns roles and what each may do, as an administrator sees and changes them.
import type { PermissionView, RoleView } from '../../../server/protocol/http.ts'
import type { Problem } from '../net/api.ts'
import {
  addRolePermissions,
  listPermissions,
  listRolePermissions,
  listRoles,
  removeRolePermission,
} from '../net/organiser-calls.ts'
import { session } from './session.svelte.ts'

export class RoleEdit {
  roles = $state.raw<RoleView[]>([])
  permissions = $state.raw<PermissionView[]>([])
  roleId = $state('')
  /** Ids of permissions: what the role may do, and what it shall. */
  granted = $state.raw<ReadonlySet<string>>(new Set())
  wanted = $state.raw<ReadonlySet<string>>(new Set())
  loading = $state(true)
  /** False until it is known what the chosen role may do: a tick set earlier would be lost. */
  listed = $state(false)
  busy = $state(false)
  saved = $state(false)
  problem = $state.raw<Problem | null>(null)
  #asked = 0

  readonly added: string[] = $derived([...this.wanted].filter((id) => !this.granted.has(id)))
  readonly removed: string[] = $derived([...this.granted].filter((id) => !this.wanted.has(id)))

  async load(): Promise<void> {
    const [roles, permissions] = await Promise.all([listRoles(), listPermissions()])
    if (roles.ok) this.roles = roles.data.items
    if (permissions.ok) this.permissions = permissions.data.items
    const failed = [roles, permissions].find((answer) => !answer.ok)
    this.problem = failed && !failed.ok ? failed.problem : null
    this.loading = false
    const first = this.roles[0]
    if (first) await this.choose(first.id)
  }

  async choose(roleId: string): Promise<void> {
    this.roleId = roleId
    this.saved = false
    this.#show([])
    this.listed = false
    this.#asked += 1
    const asked = this.#asked
    const answer = await listRolePermissions(roleId)
    // Asked again meanwhile, also for the same role: only the last answer may undo what was ticked.
    if (asked !== this.#asked) return
    this.problem = answer.ok ? null : answer.problem
    this.listed = answer.ok
    if (answer.ok) this.#show(answer.data.items)
  }

  want(permissionId: string, wanted: boolean): void {
    const next = new Set(this.wanted)
    if (wanted) next.add(permissionId)
    else next.delete(permissionId)
    this.wanted = next
    this.saved = false
  }

  /** Adds first, then removes one by one; what was refused shows as it still is. */
  async save(): Promise<void> {
    if (this.busy) return
    this.busy = true
    this.problem = null
    const { added, removed, roleId } = this
    if (added.length > 0) this.#take(await addRolePermissions(roleId, added))
    for (const id of removed) if (!this.problem) this.#take(await removeRolePermission(roleId, id))
    this.busy = false
    this.saved = this.problem === null
    if (this.problem !== null) return
    this.wanted = this.granted
    // One's own role may have been among them.
    void session.look()
  }

  #take(answer: Awaited<ReturnType<typeof addRolePermissions>>): void {
    if (answer.ok) this.granted = new Set(answer.data.items.map(({ id }) => id))
    else this.problem = answer.problem
  }

  #show(items: PermissionView[]): void {
    this.granted = new Set(items.map(({ id }) => id))
    this.wanted = this.granted
  }
}
