// Owns what every area's pictures need: one running Onsale, one browser, accounts, and the sizes that are looked at.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright'
import type { RunFile } from '../up/run-file.ts'

const ROOT = join(import.meta.dir, '../..')
/** Ignored by git: looked at, not kept. */
const OUT = join(ROOT, '.cache/screens')
const SIZES = [
  { width: 360, height: 740 },
  { width: 768, height: 1_024 },
  { width: 1_440, height: 900 },
]
const THEMES = ['light', 'dark'] as const
/** Fonts, transitions and what is loaded a moment later. */
const SETTLE_MS = 250
const STEP_MS = 30_000

export interface Account {
  email: string
  password: string
}
export type ApiCall = <T = Record<string, unknown>>(
  method: string,
  path: string,
  token?: string | null,
  body?: unknown,
) => Promise<T>

export interface Studio {
  run: RunFile
  api: ApiCall
  /** Signed in over HTTP; the token for `api`. */
  token(account: Account): Promise<string>
  demo(role: 'ADMIN' | 'ORGANIZER' | 'USER'): Account
  /** New accounts that can sign in at once; each with its token. */
  buyers(count: number): Promise<{ email: string; accessToken: string }[]>
  /** A page of its own device, signed in where an account or its token is given. */
  page(options?: {
    account?: Account
    token?: string
    language?: string
    javaScript?: boolean
  }): Promise<Page>
  /** Pictures of the page as it is now, in every size and both themes; answers the files. */
  shoot(name: string, page: Page): Promise<void>
}

export function openStudio(run: RunFile, browser: Browser, area: string): Studio {
  const folder = join(OUT, area)
  mkdirSync(folder, { recursive: true })
  const api: ApiCall = async (method, path, token, body) => {
    const answer = await fetch(`${run.url}/api/v1${path}`, {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`)
    return ((await answer.json()) as { data: never }).data
  }
  const token = async ({ email, password }: Account) =>
    (await api<{ accessToken: string }>('POST', '/auth/login', null, { email, password })).accessToken

  return {
    run,
    api,
    token,
    demo: (role) => run.demo!.accounts.find((account) => account.role === role)!,
    buyers: (count) => api('POST', '/dev/buyers', null, { count }),
    async page({ account, token: given, language = 'en', javaScript = true } = {}) {
      const context = await browser.newContext({
        locale: language,
        timezoneId: 'Asia/Jakarta',
        javaScriptEnabled: javaScript,
        viewport: SIZES[0]!,
      })
      const accessToken = given ?? (account ? await token(account) : null)
      if (accessToken !== null) {
        await context.addCookies([{ name: 'accessToken', value: accessToken, url: run.url }])
        await context.addInitScript(() => localStorage.setItem('onsale:signed-in', '1'))
      }
      const page = await context.newPage()
      page.setDefaultTimeout(STEP_MS)
      return page
    },
    async shoot(name, page) {
      for (const size of SIZES)
        for (const theme of THEMES) {
          await page.setViewportSize(size)
          await page.emulateMedia({ colorScheme: theme })
          await page.waitForTimeout(SETTLE_MS)
          await page.screenshot({ path: join(folder, `${name}-${size.width}-${theme}.png`), fullPage: true })
        }
      console.log(`  ${area}/${name}`)
    },
  }
}
