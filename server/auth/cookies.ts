// Owns the two cookies of a sign-in: their names, who may read them, where they are sent and how long they last.
import type { Config } from '../config.ts'
import { ACCESS_TOKEN_SECONDS } from '../tokens.ts'

export const ACCESS_COOKIE = 'accessToken'
export const REFRESH_COOKIE = 'refreshToken'
/** The refresh token is sent to the routes that use it and to no others. */
const REFRESH_PATH = '/api/v1/auth'

/** A cookie of the request; null when it is absent or empty. */
export function readCookie(headers: Headers, name: string): string | null {
  const header = headers.get('cookie')
  if (header === null) return null
  return new Bun.CookieMap(header).get(name) || null
}

interface SignIn {
  accessToken: string
  refreshToken: string
  /** When the session ends unless it is used. */
  expiresAt: Date
}

/** The `Set-Cookie` lines that sign a browser in. */
export function signInCookies(config: Pick<Config, 'publicUrl'>, signIn: SignIn): string[] {
  // Upwards: the moment since the session began must not make seven days a second less.
  const sessionSeconds = Math.max(0, Math.ceil((signIn.expiresAt.getTime() - Date.now()) / 1000))
  return [
    cookie(config, ACCESS_COOKIE, signIn.accessToken, '/', ACCESS_TOKEN_SECONDS),
    cookie(config, REFRESH_COOKIE, signIn.refreshToken, REFRESH_PATH, sessionSeconds),
  ]
}

/** The `Set-Cookie` lines that sign it out. */
export function clearedCookies(config: Pick<Config, 'publicUrl'>): string[] {
  return [cookie(config, ACCESS_COOKIE, '', '/', 0), cookie(config, REFRESH_COOKIE, '', REFRESH_PATH, 0)]
}

function cookie(
  { publicUrl }: Pick<Config, 'publicUrl'>,
  name: string,
  value: string,
  path: string,
  maxAge: number,
): string {
  const secure = publicUrl.startsWith('https:')
  return new Bun.Cookie({ name, value, path, maxAge, httpOnly: true, sameSite: 'lax', secure }).toString()
}
