// Decides how long a sign-in lasts and which refresh token may continue it (RFC 9700, section 4.14.2).
//
// A session is one sign-in. Its refresh tokens form a chain: each is exchanged once for its one successor, which is
// computed from it, so that repeating an exchange gives the same answer instead of a second branch. A browser's tabs
// share one cookie and may exchange it at the same moment, hence a short grace in which the old token still leads to
// the newest one. Outside the grace, and always for clients that keep the token themselves, an exchanged token that
// comes back means that two parties have it: the session ends.
import { and, desc, eq, gt, isNull, sql } from 'drizzle-orm'
import { createHash, randomBytes } from 'node:crypto'
import { inTransaction, type Db, type Reader, type Tx } from './client.ts'
import { accounts, refreshTokens, sessions } from './schema.ts'

/** Unused for this long, a session ends. */
const SESSION_IDLE_SECONDS = 7 * 24 * 3600
/** However much it is used, a session ends this long after the sign-in. */
const SESSION_MAX_SECONDS = 30 * 24 * 3600
const REFRESH_GRACE_MS = 10_000
const REFRESH_TOKEN_BYTES = 32
const USER_AGENT_MAX = 300
const SESSIONS_LISTED_MAX = 100

export type SessionEnd = 'logged_out' | 'ended_by_owner' | 'token_reused' | 'password_reset' | 'erased'

export interface SessionRow {
  id: string
  userAgent: string
  createdAt: Date
  lastUsedAt: Date
}

/** Opens a session with its first refresh token, inside the caller's transaction or alone. */
export async function openSession(
  db: Reader,
  { accountId, userAgent, now = new Date() }: { accountId: string; userAgent: string; now?: Date },
): Promise<{ sessionId: string; refreshToken: string; expiresAt: Date }> {
  const sessionId = Bun.randomUUIDv7()
  const refreshToken = randomBytes(REFRESH_TOKEN_BYTES).toString('base64url')
  const expiresAt = later(now, SESSION_IDLE_SECONDS)
  await db.transaction(async (tx) => {
    await tx.insert(sessions).values({
      id: sessionId,
      accountId,
      userAgent: userAgent.slice(0, USER_AGENT_MAX),
      createdAt: now,
      lastUsedAt: now,
      expiresAt,
    })
    await tx.insert(refreshTokens).values({ hash: hashToken(refreshToken), sessionId, createdAt: now })
  })
  return { sessionId, refreshToken, expiresAt }
}

export type Rotation =
  | { ok: true; accountId: string; email: string; sessionId: string; refreshToken: string; expiresAt: Date }
  | { ok: false; refusal: 'unauthenticated'; endedSessionId?: string }

interface RotateInput {
  refreshToken: string
  /** Computes the successors a token may have, the one to be given first; more than one while a secret is changed. */
  successorsOf: (token: string) => [string, ...string[]]
  /** True for browsers, whose tabs share the token. */
  grace: boolean
  now?: Date
}

/**
 * Exchanges a refresh token for its successor. An exchanged token that comes back outside the grace ends its session,
 * named in `endedSessionId`.
 */
export async function rotateRefreshToken(db: Db, input: RotateInput): Promise<Rotation> {
  // A refusal must not undo the end of the session, so it travels inside an ordinary outcome.
  const { rotation } = await inTransaction(db, async (tx) => ({ rotation: await rotate(tx, input) }))
  return rotation
}

async function rotate(
  tx: Tx,
  { refreshToken, successorsOf, grace, now = new Date() }: RotateInput,
): Promise<Rotation> {
  const refused = { ok: false, refusal: 'unauthenticated' } as const
  const family = await lockFamily(tx, refreshToken)
  if (!family || family.endedAt || family.expiresAt <= now || family.disabledAt || family.email === null)
    return refused
  const { accountId, email, sessionId } = family
  let token = refreshToken
  let { rotatedAt } = await findSuccessor(tx, [token])
  if (rotatedAt !== null) {
    while (rotatedAt !== null) {
      if (!grace || now.getTime() - rotatedAt.getTime() > REFRESH_GRACE_MS) {
        await endSession(tx, { sessionId, because: 'token_reused', now })
        return { ...refused, endedSessionId: sessionId }
      }
      ;({ token, rotatedAt } = await findSuccessor(tx, successorsOf(token)))
    }
    // The newest token was reached through the grace: it is the answer, and stays unspent.
    return { ok: true, accountId, email, sessionId, refreshToken: token, expiresAt: family.expiresAt }
  }
  const [successor] = successorsOf(token)
  const expiresAt = earlier(later(now, SESSION_IDLE_SECONDS), later(family.createdAt, SESSION_MAX_SECONDS))
  await tx
    .update(refreshTokens)
    .set({ rotatedAt: now })
    .where(eq(refreshTokens.hash, hashToken(token)))
  await tx.insert(refreshTokens).values({ hash: hashToken(successor), sessionId, createdAt: now })
  await tx.update(sessions).set({ lastUsedAt: now, expiresAt }).where(eq(sessions.id, sessionId))
  return { ok: true, accountId, email, sessionId, refreshToken: successor, expiresAt }
}

/** Locks the session, so that exchanges of one chain happen one after the other. */
async function lockFamily(tx: Tx, refreshToken: string) {
  const [family] = await tx
    .select({
      sessionId: sessions.id,
      accountId: sessions.accountId,
      createdAt: sessions.createdAt,
      expiresAt: sessions.expiresAt,
      endedAt: sessions.endedAt,
      email: accounts.email,
      disabledAt: accounts.disabledAt,
    })
    .from(refreshTokens)
    .innerJoin(sessions, eq(sessions.id, refreshTokens.sessionId))
    .innerJoin(accounts, eq(accounts.id, sessions.accountId))
    .where(eq(refreshTokens.hash, hashToken(refreshToken)))
    .for('update', { of: sessions })
  return family
}

/** The one of the possible tokens that was given out, and when it was exchanged in its turn. */
async function findSuccessor(tx: Tx, tokens: string[]): Promise<{ token: string; rotatedAt: Date | null }> {
  for (const token of tokens) {
    const [row] = await tx
      .select({ rotatedAt: refreshTokens.rotatedAt })
      .from(refreshTokens)
      .where(eq(refreshTokens.hash, hashToken(token)))
    if (row) return { token, rotatedAt: row.rotatedAt }
  }
  throw new Error('a refresh token has no successor in its session')
}

/** True while the session may be used: open, young enough, its account neither disabled nor erased. */
export async function listOpenSessions(reader: Reader, sessionIds: string[]): Promise<Set<string>> {
  const rows = await reader
    .select({ id: sessions.id })
    .from(sessions)
    .innerJoin(accounts, eq(accounts.id, sessions.accountId))
    // One array, however many: the statement stays the same and is prepared once.
    .where(
      and(sql`${sessions.id} = any(${sql.param(sessionIds)}::uuid[])`, isOpen(), isNull(accounts.disabledAt)),
    )
  return new Set(rows.map(({ id }) => id))
}

/** The open sessions of an account, newest first. */
export async function listSessions(reader: Reader, accountId: string): Promise<SessionRow[]> {
  return reader
    .select({
      id: sessions.id,
      userAgent: sessions.userAgent,
      createdAt: sessions.createdAt,
      lastUsedAt: sessions.lastUsedAt,
    })
    .from(sessions)
    .where(and(eq(sessions.accountId, accountId), isOpen()))
    .orderBy(desc(sessions.createdAt))
    .limit(SESSIONS_LISTED_MAX)
}

/** Ends one session; with `accountId`, only when it is that account's. False when there was none to end. */
export async function endSession(
  db: Reader,
  {
    sessionId,
    accountId,
    because,
    now = new Date(),
  }: { sessionId: string; accountId?: string; because: SessionEnd; now?: Date },
): Promise<boolean> {
  const ended = await db
    .update(sessions)
    .set({ endedAt: now, endedBecause: because })
    .where(
      and(
        eq(sessions.id, sessionId),
        isNull(sessions.endedAt),
        accountId === undefined ? undefined : eq(sessions.accountId, accountId),
      ),
    )
    .returning({ id: sessions.id })
  return ended.length > 0
}

/** Ends every session of an account and names them. */
export async function endSessionsOf(
  db: Reader,
  { accountId, because, now = new Date() }: { accountId: string; because: SessionEnd; now?: Date },
): Promise<string[]> {
  const ended = await db
    .update(sessions)
    .set({ endedAt: now, endedBecause: because })
    .where(and(eq(sessions.accountId, accountId), isNull(sessions.endedAt)))
    .returning({ id: sessions.id })
  return ended.map(({ id }) => id)
}

/** SHA-256: tokens are random, so nothing slower is needed. */
export function hashToken(token: string): Uint8Array {
  return createHash('sha256').update(token).digest()
}

const isOpen = () => and(isNull(sessions.endedAt), gt(sessions.expiresAt, sql`now()`))
const later = (from: Date, seconds: number) => new Date(from.getTime() + seconds * 1000)
const earlier = (a: Date, b: Date) => (a < b ? a : b)
