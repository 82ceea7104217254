// A person who forgot the password gets in again by mail, and the link works once.
import { afterAll, beforeAll, test } from 'bun:test'
import type { Browser } from 'playwright'
import { hasBrowser, launchBrowser } from '../support/browser.ts'
import { startWholeStack, type WholeStack } from '../support/whole-stack.ts'

const START_MS = 120_000
const JOURNEY_MS = 60_000
const STEP_MS = 20_000
const POLL_MS = 200
const PASSWORD = 'another long secret'

let stack: WholeStack
let browser: Browser

beforeAll(async () => {
  if (!hasBrowser) return
  stack = await startWholeStack()
  browser = await launchBrowser()
}, START_MS)

afterAll(async () => {
  await browser?.close()
  await stack?.stop()
}, START_MS)

async function resetLink(address: string): Promise<string> {
  const deadline = Date.now() + STEP_MS
  for (;;) {
    const answer = await fetch(`${stack.run.url}/api/v1/dev/mailbox?to=${encodeURIComponent(address)}`)
    const { data } = (await answer.json()) as { data: { links: string[] }[] }
    const link = data.flatMap(({ links }) => links).find((one) => one.includes('/reset?'))
    if (link) return link
    if (Date.now() > deadline) throw new Error(`no reset link within ${STEP_MS} ms`)
    await Bun.sleep(POLL_MS)
  }
}

test.skipIf(!hasBrowser)(
  'a forgotten password is replaced by mail, and the link works once',
  async () => {
    const page = await browser.newPage()
    page.setDefaultTimeout(STEP_MS)
    const { email } = stack.run.demo!.accounts.find(({ role }) => role === 'USER')!
    await page.goto(`${stack.run.url}/login`)
    await page.getByRole('link', { name: 'Forgotten your password?' }).click()
    await page.getByLabel('Email').fill(email)
    await page.getByRole('button', { name: 'Send the link' }).click()
    await page.getByText('is on its way').waitFor()

    const link = await resetLink(email)
    const choose = async () => {
      await page.goto(link)
      await page.getByLabel('New password').fill(PASSWORD)
      await page.getByRole('button', { name: 'Change the password' }).click()
    }
    await choose()
    await page.getByRole('heading', { name: 'Your password is changed' }).waitFor()
    await page.locator('main').getByRole('link', { name: 'Sign in' }).click()
    await page.getByLabel('Email').fill(email)
    await page.getByLabel('Password').fill(PASSWORD)
    await page.locator('form button[type=submit]').click()
    await page.waitForURL(`${stack.run.url}/`)

    await choose()
    await page.getByRole('heading', { name: 'This link does not work' }).waitFor()
  },
  JOURNEY_MS,
)
