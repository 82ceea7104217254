// Decides what an account may do at this moment: read from Postgres, remembered until any role changes anywhere.
import { listPermissionsOf } from '../../db/roles.ts'
import type { Context } from '../context.ts'
import type { Permission } from '../protocol/codes.ts'
import { tryRedis } from '../try-redis.ts'
import { PERMISSIONS_VERSION_KEY } from './keys.ts'

/** Accounts remembered in one process; beyond it the one remembered longest is asked for again. */
const REMEMBERED_MAX = 20_000
/** How long a role change that could not be told to Redis may go unseen. */
const REMEMBERED_MS = 30_000

type Needs = Pick<Context, 'redis' | 'ledger'>
interface Remembered {
  version: string
  until: number
  permissions: ReadonlySet<Permission>
}
const memories = new WeakMap<Needs['ledger'], Map<string, Remembered>>()

export async function permissionsOf(context: Needs, accountId: string): Promise<ReadonlySet<Permission>> {
  // The version is read before the roles: a change in between leaves an old version behind, which nobody trusts.
  const version = await currentVersion(context)
  const memory = memoryOf(context)
  const known = memory.get(accountId)
  if (version !== undefined && known?.version === version && known.until > Date.now())
    return known.permissions
  const permissions: ReadonlySet<Permission> = new Set(
    (await listPermissionsOf(context.ledger.db, accountId)) as Permission[],
  )
  memory.delete(accountId)
  if (version === undefined) return permissions
  if (memory.size >= REMEMBERED_MAX) memory.delete(memory.keys().next().value!)
  memory.set(accountId, { version, until: Date.now() + REMEMBERED_MS, permissions })
  return permissions
}

/** Call after a role change is committed: the next request of any process reads the roles again. */
export async function announceRoleChange({ redis }: Pick<Context, 'redis'>): Promise<void> {
  await Promise.allSettled([redis.set(PERMISSIONS_VERSION_KEY, crypto.randomUUID())])
}

/** Undefined while Redis is away: then nothing remembered is believed. */
async function currentVersion({ redis }: Pick<Context, 'redis'>): Promise<string | undefined> {
  const version = await tryRedis(redis, (client) => client.get(PERMISSIONS_VERSION_KEY))
  if (version !== null) return version
  await tryRedis(redis, (client) => client.set(PERMISSIONS_VERSION_KEY, crypto.randomUUID(), 'NX'))
  return (await tryRedis(redis, (client) => client.get(PERMISSIONS_VERSION_KEY))) ?? undefined
}

function memoryOf({ ledger }: Needs): Map<string, Remembered> {
  const memory = memories.get(ledger) ?? new Map<string, Remembered>()
  memories.set(ledger, memory)
  return memory
}
