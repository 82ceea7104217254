// Owns the buyers that development makes by the thousand: verified, signed in, without a password.
import { eq } from 'drizzle-orm'
import { inTransaction, type Db } from './client.ts'
import { accountRoles, accounts, roles, sessions } from './schema.ts'

const BUYERS_ROLE = 'USER'
/** Reserved by RFC 2606: no mail can ever leave for it. */
const BUYERS_DOMAIN = 'crowd.onsale.test'

export interface CrowdBuyer {
  id: string
  email: string
  sessionId: string
}

/** Makes `count` (at most 5,000) verified accounts, each with an open session until `sessionsUntil`. */
export async function createCrowd(
  db: Db,
  { count, sessionsUntil, now = new Date() }: { count: number; sessionsUntil: Date; now?: Date },
): Promise<CrowdBuyer[]> {
  const buyers = Array.from({ length: count }, () => {
    const id = Bun.randomUUIDv7()
    return { id, email: `buyer-${id}@${BUYERS_DOMAIN}`, sessionId: Bun.randomUUIDv7() }
  })
  await inTransaction(db, async (tx) => {
    const [role] = await tx.select({ id: roles.id }).from(roles).where(eq(roles.name, BUYERS_ROLE))
    if (!role) throw new Error('the roles are not seeded')
    await tx.insert(accounts).values(
      buyers.map(({ id, email }, index) => ({
        id,
        email,
        fullName: `Buyer ${index + 1}`,
        verifiedAt: now,
        createdAt: now,
      })),
    )
    await tx.insert(accountRoles).values(buyers.map(({ id }) => ({ accountId: id, roleId: role.id })))
    await tx.insert(sessions).values(
      buyers.map(({ id, sessionId }) => ({
        id: sessionId,
        accountId: id,
        userAgent: 'crowd',
        expiresAt: sessionsUntil,
      })),
    )
  })
  return buyers
}
