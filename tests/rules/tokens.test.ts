// Holds tokens against the defect of @elysiajs/jwt that its verify() checks the signature and nothing else.
import { jwt } from '@elysiajs/jwt'
import { describe, expect, test } from 'bun:test'
import { createHmac, hkdfSync } from 'node:crypto'
import { ACCESS_TOKEN_SECONDS, createTokens } from '../../server/tokens.ts'

const secret = 'a secret of at least thirty-two bytes, for tests'
const tokens = createTokens({ secret })
const accountId = Bun.randomUUIDv7()
const eventId = Bun.randomUUIDv7()
const sessionId = Bun.randomUUIDv7()
const soon = () => new Date(Date.now() + 60_000)
const key = (kind: string) => new Uint8Array(hkdfSync('sha256', secret, '', `onsale:${kind}`, 32))

const ACCESS = { sub: accountId, sid: sessionId, email: 'a@onsale.test', iss: 'onsale', aud: 'onsale:access' }

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** An access token as ours, signed with the right key, except for what the test changes. */
function forge(change: {
  claims?: Record<string, unknown>
  header?: { alg?: string; typ?: string }
  expires?: boolean
  key?: Uint8Array
}): string {
  const iat = Math.floor(Date.now() / 1000)
  const header = { alg: 'HS256', typ: 'at+jwt', ...change.header }
  const claims = { ...ACCESS, iat, ...(change.expires === false ? {} : { exp: iat + 300 }), ...change.claims }
  const signed = `${part(header)}.${part(claims)}`
  const hmac = createHmac(header.alg.replace('HS', 'sha'), change.key ?? key('access'))
  return `${signed}.${hmac.update(signed).digest('base64url')}`
}

describe('a token of ours', () => {
  test('says what was signed, for fifteen minutes', async () => {
    const token = await tokens.signAccess({ accountId, sessionId, email: 'a@onsale.test' })
    const claims = await tokens.verifyAccess(token)
    expect(claims).toMatchObject({ accountId, sessionId, email: 'a@onsale.test' })
    const [, payload] = token.split('.')
    const { iat, exp } = JSON.parse(Buffer.from(payload!, 'base64url').toString())
    expect(exp - iat).toBe(ACCESS_TOKEN_SECONDS)
  })

  test('of a pass and of a place say what was signed', async () => {
    const expiresAt = new Date(Math.ceil(Date.now() / 1000) * 1000 + 60_000)
    const pass = await tokens.signPass({ accountId, eventId, epoch: 3, expiresAt })
    expect(await tokens.verifyPass(pass)).toEqual({
      accountId,
      eventId,
      epoch: 3,
      expiresAt,
      jti: expect.any(String),
    })
    const place = await tokens.signPlace({ accountId, eventId, number: 0, epoch: 3 })
    expect(await tokens.verifyPlace(place)).toEqual({ accountId, eventId, number: 0, epoch: 3 })
  })

  test('is called expired when it is genuine but old', async () => {
    const expiresAt = new Date(Date.now() - 5_000)
    const access = await tokens.signAccess({ accountId, sessionId, email: 'a@onsale.test', expiresAt })
    expect(await tokens.verifyAccess(access)).toBe('expired')
    expect(await tokens.verifyPass(await tokens.signPass({ accountId, eventId, epoch: 1, expiresAt }))).toBe(
      'expired',
    )
  })

  test('is nobody’s under another secret, old or not', async () => {
    const others = createTokens({ secret: 'another secret of at least thirty-two bytes' })
    const fresh = await others.signAccess({ accountId, sessionId, email: 'a@onsale.test' })
    const old = await others.signAccess({
      accountId,
      sessionId,
      email: 'a@onsale.test',
      expiresAt: new Date(0),
    })
    expect(await tokens.verifyAccess(fresh)).toBeNull()
    expect(await tokens.verifyAccess(old)).toBeNull()
  })
})

describe('@elysiajs/jwt verifies the signature alone, so we refuse by ourselves', () => {
  test('the plugin accepts another algorithm, audience and issuer, and no expiry (the defect)', async () => {
    const plugin = jwt({ secret: key('access'), alg: 'HS256', iss: 'onsale', aud: 'onsale:access' }).decorator
      .jwt
    const long = new Uint8Array(64).fill(7)
    const unchecked = jwt({ secret: long, alg: 'HS256' }).decorator.jwt
    expect(await unchecked.verify(forge({ header: { alg: 'HS512' }, key: long }))).toBeTruthy()
    expect(await plugin.verify(forge({ claims: { aud: 'else', iss: 'else' } }))).toBeTruthy()
    expect(await plugin.verify(forge({ expires: false }))).toBeTruthy()
  })

  test('a genuine twin of the forgeries below is accepted', async () => {
    expect(await tokens.verifyAccess(forge({}))).toMatchObject({ accountId })
  })

  test.each([
    ['an HS512 token', { header: { alg: 'HS512' } }],
    ['an HS384 token', { header: { alg: 'HS384' } }],
    ['a wrong audience', { claims: { aud: 'onsale:pass' } }],
    ['no audience', { claims: { aud: undefined } }],
    ['a wrong issuer', { claims: { iss: 'elsewhere' } }],
    ['no issuer', { claims: { iss: undefined } }],
    ['a missing exp', { expires: false }],
    ['a wrong typ', { header: { typ: 'JWT' } }],
    ['a missing session', { claims: { sid: undefined } }],
    ['a missing account', { claims: { sub: undefined } }],
    ['a session that is no text', { claims: { sid: 7 } }],
    ['the key of another kind', { key: key('pass') }],
    ['the bare secret as key', { key: new TextEncoder().encode(secret) }],
  ] as const)('%s is refused', async (_name, change) => {
    expect(await tokens.verifyAccess(forge(change))).toBeNull()
  })

  test('alg none is refused', async () => {
    const exp = Math.floor(Date.now() / 1000) + 600
    for (const alg of ['none', 'None', 'NONE', '']) {
      const head = part({ alg, typ: 'at+jwt' })
      expect(await tokens.verifyAccess(`${head}.${part({ ...ACCESS, iat: exp - 600, exp })}.`)).toBeNull()
    }
  })

  test('each kind is refused as every other kind', async () => {
    const made = {
      access: await tokens.signAccess({ accountId, sessionId, email: 'a@onsale.test' }),
      pass: await tokens.signPass({ accountId, eventId, epoch: 1, expiresAt: soon() }),
      place: await tokens.signPlace({ accountId, eventId, number: 1, epoch: 1 }),
      refresh: tokens.successorsOf('a refresh token')[0],
    }
    const verify = {
      access: tokens.verifyAccess,
      pass: tokens.verifyPass,
      place: tokens.verifyPlace,
    }
    for (const [asked, check] of Object.entries(verify))
      for (const [kind, token] of Object.entries(made))
        expect([kind, asked, (await check(token)) !== null]).toEqual([kind, asked, kind === asked])
  })

  test('a changed byte anywhere, rubbish and length are refused', async () => {
    const token = await tokens.signAccess({ accountId, sessionId, email: 'a@onsale.test' })
    for (let at = 0; at < token.length - 1; at += 7) {
      const swapped = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
      expect(await tokens.verifyAccess(swapped)).toBeNull()
    }
    for (const rubbish of ['', '.', '..', 'a.b.c', `${token}.`, ` ${token}`, 'x'.repeat(100_000), '\0'])
      expect(await tokens.verifyAccess(rubbish)).toBeNull()
  })
})

describe('the successor of a refresh token', () => {
  test('is one, 256 bits, and unknown without the secret', () => {
    expect(tokens.successorsOf('token')[0]).toBe(tokens.successorsOf('token')[0])
    expect(tokens.successorsOf('token')[0]).not.toBe(tokens.successorsOf('tokem')[0])
    expect(Buffer.from(tokens.successorsOf('token')[0], 'base64url')).toHaveLength(32)
    const others = createTokens({ secret: 'another secret of at least thirty-two bytes' })
    expect(others.successorsOf('token')[0]).not.toBe(tokens.successorsOf('token')[0])
  })
})
