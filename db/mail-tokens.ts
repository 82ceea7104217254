// Owns the single-use secrets sent by mail: 256 random bits, kept as a hash, spent once, worthless after an hour.
import { and, eq, gt, isNull } from 'drizzle-orm'
import { randomBytes } from 'node:crypto'
import type { Tx } from './client.ts'
import { mailTokens } from './schema.ts'
import { hashToken } from './sessions.ts'

export type MailPurpose = 'verify_email' | 'reset_password'

const MAIL_TOKEN_BYTES = 32
const MAIL_TOKEN_SECONDS = 3600

/** Makes a token for an account; earlier ones of the same purpose stop working. */
export async function issueMailToken(
  tx: Tx,
  { accountId, purpose, now }: { accountId: string; purpose: MailPurpose; now: Date },
): Promise<string> {
  const token = randomBytes(MAIL_TOKEN_BYTES).toString('base64url')
  await tx
    .delete(mailTokens)
    .where(
      and(eq(mailTokens.accountId, accountId), eq(mailTokens.purpose, purpose), isNull(mailTokens.usedAt)),
    )
  await tx.insert(mailTokens).values({
    hash: hashToken(token),
    accountId,
    purpose,
    createdAt: now,
    expiresAt: new Date(now.getTime() + MAIL_TOKEN_SECONDS * 1000),
  })
  return token
}

/** Spends a token: the account it was sent to, or null when it is unknown, spent or old. */
export async function spendMailToken(
  tx: Tx,
  { token, purpose, now }: { token: string; purpose: MailPurpose; now: Date },
): Promise<string | null> {
  const [spent] = await tx
    .update(mailTokens)
    .set({ usedAt: now })
    .where(
      and(
        eq(mailTokens.hash, hashToken(token)),
        eq(mailTokens.purpose, purpose),
        isNull(mailTokens.usedAt),
        gt(mailTokens.expiresAt, now),
      ),
    )
    .returning({ accountId: mailTokens.accountId })
  return spent?.accountId ?? null
}
