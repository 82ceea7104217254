// Decides what a signed token says and when it is believed: access, pass, place and invitation, none taken for another.
//
// Access tokens are issued by @elysiajs/jwt. Everything else, and every verification, is fast-jwt's: the same HS256
// tokens for a sixth of the time, which a crowd that joins at once needs (ADR 13). Every verification names its one
// algorithm, its issuer, its audience, its type and the claims that must be there.
import { jwt } from '@elysiajs/jwt'
import { createSigner, createVerifier } from 'fast-jwt'
import { createHmac, hkdfSync } from 'node:crypto'

export const ACCESS_TOKEN_SECONDS = 15 * 60
/** A place must outlive any line; its number says nothing once the epoch or the event is over. */
const PLACE_SECONDS = 30 * 24 * 3600
const ISSUER = 'onsale'
const ALGORITHM = 'HS256'
/** Longer than any token of ours; a longer one is refused unread. */
const TOKEN_LENGTH_MAX = 2_048
/** Access tokens whose claims one process keeps, some 20 MB at the most; beyond it the oldest is verified again. */
const REMEMBERED_MAX = 20_000
const KINDS = {
  access: { aud: 'onsale:access', typ: 'at+jwt', claims: ['sub', 'sid', 'email', 'iat', 'exp'] },
  pass: { aud: 'onsale:pass', typ: 'pass+jwt', claims: ['sub', 'event', 'epoch', 'jti', 'iat', 'exp'] },
  place: { aud: 'onsale:place', typ: 'place+jwt', claims: ['sub', 'event', 'epoch', 'number', 'iat', 'exp'] },
  invitation: { aud: 'onsale:invitation', typ: 'invitation+jwt', claims: ['event', 'jti', 'iat', 'exp'] },
} as const
type Kind = keyof typeof KINDS

export interface AccessClaims {
  accountId: string
  sessionId: string
  email: string
  expiresAt: Date
}

export interface PassClaims {
  accountId: string
  eventId: string
  epoch: number
  jti: string
  expiresAt: Date
}

export interface PlaceClaims {
  accountId: string
  eventId: string
  /** The arrival number, 0-based. */
  number: number
  epoch: number
}

export interface InvitationClaims {
  eventId: string
  /** What is used up: one invitation, one account. */
  jti: string
}

/** `expired`: genuine in everything but its age. null: not ours, or not of this kind. */
export type Verified<T> = T | 'expired' | null

export interface Tokens {
  /** Valid for 15 minutes, or until `expiresAt`. */
  signAccess(of: Omit<AccessClaims, 'expiresAt'> & { expiresAt?: Date }): Promise<string>
  verifyAccess(token: string): Verified<AccessClaims>
  /** A `jti` is made when none is given. */
  signPass(of: Omit<PassClaims, 'jti'> & { jti?: string }): string
  /** `now`: the line's own time, ms; a server whose clock is wrong ends nobody's pass. */
  verifyPass(token: string, now?: number): Verified<PassClaims>
  signPlace(of: PlaceClaims): string
  verifyPlace(token: string): Verified<PlaceClaims>
  /** Each signing is a further invitation, unless its `jti` is given. */
  signInvitation(of: { eventId: string; expiresAt: Date; jti?: string }): string
  verifyInvitation(token: string): Verified<InvitationClaims>
  /**
   * The refresh tokens that may follow the given one, one for each secret, the one to hand out first; only the holder
   * of a secret can compute one.
   */
  successorsOf(refreshToken: string): [string, ...string[]]
}

interface Secrets {
  /** Signs, and has at least 32 bytes; each kind of token is signed with a key of its own derived from it. */
  secret: string
  /** Sign nothing, and are believed: the secret before, or the one to come (ADR 36). */
  accepted?: readonly string[]
}

export function createTokens({ secret, accepted = [] }: Secrets): Tokens {
  const secrets = [secret, ...accepted]
  const access = signer('access', secrets)
  const { jwt: issuer } = jwt({
    secret: deriveKey(secret, 'access'),
    alg: ALGORITHM,
    typ: KINDS.access.typ,
  }).decorator
  const pass = signer('pass', secrets)
  const place = signer('place', secrets)
  const invitation = signer('invitation', secrets)
  const refreshKeys = secrets.map((each) => deriveKey(each, 'refresh'))
  return {
    signAccess: ({ accountId, sessionId, email, expiresAt }) =>
      issuer.sign(
        access.claims(
          { sub: accountId, sid: sessionId, email, jti: Bun.randomUUIDv7() },
          expiresAt ?? inSeconds(ACCESS_TOKEN_SECONDS),
        ),
      ),
    verifyAccess: remembering((token) =>
      access.verify(token, (read) => ({
        accountId: read.text('sub'),
        sessionId: read.text('sid'),
        email: read.text('email'),
        expiresAt: read.expiry(),
      })),
    ),
    signPass: ({ accountId, eventId, epoch, expiresAt, jti = Bun.randomUUIDv7() }) =>
      pass.sign({ sub: accountId, event: eventId, epoch, jti }, expiresAt),
    verifyPass: (token, now) =>
      pass.verify(
        token,
        (read) => ({
          accountId: read.text('sub'),
          eventId: read.text('event'),
          epoch: read.count('epoch'),
          jti: read.text('jti'),
          expiresAt: read.expiry(),
        }),
        now,
      ),
    signPlace: ({ accountId, eventId, number, epoch }) =>
      place.sign({ sub: accountId, event: eventId, number, epoch }, inSeconds(PLACE_SECONDS)),
    verifyPlace: (token) =>
      place.verify(token, (read) => ({
        accountId: read.text('sub'),
        eventId: read.text('event'),
        number: read.count('number'),
        epoch: read.count('epoch'),
      })),
    signInvitation: ({ eventId, expiresAt, jti = Bun.randomUUIDv7() }) =>
      invitation.sign({ event: eventId, jti }, expiresAt),
    verifyInvitation: (token) =>
      invitation.verify(token, (read) => ({ eventId: read.text('event'), jti: read.text('jti') })),
    successorsOf: (refreshToken) =>
      refreshKeys.map((key) => createHmac('sha256', key).update(refreshToken).digest('base64url')) as [
        string,
      ],
  }
}

function signer(kind: Kind, secrets: readonly string[]) {
  const { aud, typ, claims: own } = KINDS[kind]
  const keys = secrets.map((secret) => Buffer.from(deriveKey(secret, kind)))
  const encode = createSigner({ key: keys[0]!, algorithm: ALGORITHM, header: { alg: ALGORITHM, typ } })
  const decoders = keys.map((key) =>
    createVerifier({
      key,
      algorithms: [ALGORITHM],
      allowedIss: ISSUER,
      allowedAud: aud,
      checkTyp: typ,
      // A claim that is not asked for is not checked when it is absent.
      requiredClaims: ['iss', 'aud', ...own],
      // Looked at below, so that a genuine token that is merely too old can be called so.
      ignoreExpiration: true,
    }),
  )
  /** A token lasts whole seconds, rounded up: never less than was promised. */
  const claims = (payload: Record<string, string | number>, expiresAt: Date) => ({
    ...payload,
    iss: ISSUER,
    aud,
    exp: Math.ceil(expiresAt.getTime() / 1000),
  })
  return {
    claims,
    sign: (payload: Record<string, string | number>, expiresAt: Date): string =>
      encode(claims(payload, expiresAt)),
    verify: <T>(token: string, read: (from: ClaimReader) => T, now = Date.now()): Verified<T> => {
      if (token.length === 0 || token.length > TOKEN_LENGTH_MAX) return null
      for (const decode of decoders)
        try {
          const from = new ClaimReader(decode(token) as Record<string, unknown>)
          const claimed = read(from)
          return from.expiry().getTime() <= now ? 'expired' : claimed
        } catch {
          // Not this key's, or not a token of this kind.
        }
      return null
    },
  }
}

class ClaimReader {
  constructor(private readonly claims: Record<string, unknown>) {}

  text(name: string): string {
    const value = this.claims[name]
    if (typeof value !== 'string') throw new TypeError(`claim ${name} is not a text`)
    return value
  }

  count(name: string): number {
    const value = this.claims[name]
    if (!Number.isSafeInteger(value)) throw new TypeError(`claim ${name} is not a whole number`)
    return value as number
  }

  expiry(): Date {
    return new Date(this.count('exp') * 1000)
  }
}

/** A buyer sends the same token many times; its signature is looked at once, its age each time. */
function remembering<T extends { expiresAt: Date }>(verify: (token: string) => Verified<T>) {
  const known = new Map<string, T>()
  return (token: string): Verified<T> => {
    const remembered = known.get(token)
    if (remembered) return remembered.expiresAt.getTime() > Date.now() ? remembered : 'expired'
    const claims = verify(token)
    if (claims === null || claims === 'expired') return claims
    if (known.size >= REMEMBERED_MAX) known.delete(known.keys().next().value!)
    known.set(token, claims)
    return claims
  }
}

function deriveKey(secret: string, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', `onsale:${purpose}`, 32))
}

/** On the same whole second that `iat` is written in, so that a lifetime reads as what it is. */
function inSeconds(seconds: number): Date {
  return new Date((Math.floor(Date.now() / 1000) + seconds) * 1000)
}
