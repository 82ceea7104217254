// Owns the buyers that development makes by the thousand: verified, signed in, without a password.
import { eq, sql } from 'drizzle-orm'
import { inTransaction, type Db } from './client.ts'
import { roles } from './schema.ts'

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
    // One array a column: thousands of rows cost one parameter each column, not one each field.
    const ids = sql.param(buyers.map(({ id }) => id))
    const emails = sql.param(buyers.map(({ email }) => email))
    const sessionIds = sql.param(buyers.map(({ sessionId }) => sessionId))
    const [made, until] = [now.toISOString(), sessionsUntil.toISOString()]
    await tx.execute(sql`
      insert into accounts (id, email, full_name, verified_at, created_at)
      select id, email, 'Buyer ' || n, ${made}::timestamptz, ${made}::timestamptz
      from unnest(${ids}::uuid[], ${emails}::text[]) with ordinality as t(id, email, n)`)
    await tx.execute(sql`
      insert into account_roles (account_id, role_id)
      select id, ${role.id}::uuid from unnest(${ids}::uuid[]) as t(id)`)
    await tx.execute(sql`
      insert into sessions (id, account_id, user_agent, expires_at)
      select id, account_id, 'crowd', ${until}::timestamptz
      from unnest(${sessionIds}::uuid[], ${ids}::uuid[]) as t(id, account_id)`)
  })
  return buyers
}
