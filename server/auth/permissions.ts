// Decides what an account may do at this moment: read from Postgres, remembered until any role changes anywhere.
import { listPermissionsOfMany } from '../../db/roles.ts'
import type { Context } from '../context.ts'
import type { Permission } from '../protocol/codes.ts'
import { together } from '../together.ts'
import { tryRedis } from '../try-redis.ts'
import { PERMISSIONS_VERSION_KEY } from './keys.ts'
import type { Recalled } from './recall.ts'

/** Accounts remembered in one process; beyond it the one remembered longest is asked for again. */
const REMEMBERED_MAX = 20_000
/** How long a role change that could not be told to Redis may go unseen. */
const REMEMBERED_MS = 30_000
/** Accounts asked about in one statement. */
const ASKED_AT_ONCE = 1_000

type Needs = Pick<Context, 'redis' | 'ledger'>
interface Remembered {
  version: string
  until: number
  permissions: ReadonlySet<Permission>
}
const memories = new WeakMap<Needs['ledger'], Map<string, Remembered>>()

/**
 * `recalled` is what Redis said before anything else was read: a change in between leaves an old version behind, which
 * nobody trusts. Undefined while Redis is away: then nothing remembered is believed.
 */
export function permissionsOf(
  context: Needs,
  accountId: string,
  recalled: Recalled | undefined,
): ReadonlySet<Permission> | Promise<ReadonlySet<Permission>> {
  const known = memoryOf(context).get(accountId)
  return known !== undefined && known.version === recalled?.version && known.until > Date.now()
    ? known.permissions
    : readPermissions(context, accountId, recalled)
}

async function readPermissions(
  context: Needs,
  accountId: string,
  recalled: Recalled | undefined,
): Promise<ReadonlySet<Permission>> {
  const version = recalled && (recalled.version ?? (await newVersion(context)))
  const memory = memoryOf(context)
  const known = memory.get(accountId)
  if (version !== undefined && known?.version === version && known.until > Date.now())
    return known.permissions
  const permissions = await askLedger(context.ledger, accountId)
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

/** Redis has none, or has lost it. */
async function newVersion({ redis }: Pick<Context, 'redis'>): Promise<string | undefined> {
  await tryRedis(redis, (client) => client.set(PERMISSIONS_VERSION_KEY, crypto.randomUUID(), 'NX'))
  return (await tryRedis(redis, (client) => client.get(PERMISSIONS_VERSION_KEY))) ?? undefined
}

const askers = new WeakMap<Needs['ledger'], (accountId: string) => Promise<ReadonlySet<Permission>>>()

/** Accounts of one moment are asked about in one statement. */
function askLedger(ledger: Needs['ledger'], accountId: string): Promise<ReadonlySet<Permission>> {
  let ask = askers.get(ledger)
  if (!ask) {
    ask = together(async (accountIds: string[]) => {
      const names = await listPermissionsOfMany(ledger.db, [...new Set(accountIds)])
      return (id) => new Set((names.get(id) ?? []) as Permission[])
    }, ASKED_AT_ONCE)
    askers.set(ledger, ask)
  }
  return ask(accountId)
}

function memoryOf({ ledger }: Needs): Map<string, Remembered> {
  let memory = memories.get(ledger)
  if (!memory) memories.set(ledger, (memory = new Map()))
  return memory
}
