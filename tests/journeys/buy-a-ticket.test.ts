// A person's whole way in a real browser: from an address nobody knows to a paid ticket and its mail.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import AxeBuilder from '@axe-core/playwright'
import type { Browser, Page } from 'playwright'
import { hasBrowser, launchBrowser } from '../support/browser.ts'
import { startWholeStack, type WholeStack } from '../support/whole-stack.ts'

const START_MS = 120_000
const JOURNEY_MS = 90_000
const STEP_MS = 20_000
const POLL_MS = 200
const PASSWORD = 'a long enough secret'

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

interface Mail {
  subject: string
  text: string
  links: string[]
}

async function mailTo(address: string, about: RegExp): Promise<Mail> {
  const deadline = Date.now() + STEP_MS
  for (;;) {
    const answer = await fetch(`${stack.run.url}/api/v1/dev/mailbox?to=${encodeURIComponent(address)}`)
    const { data } = (await answer.json()) as { data: Mail[] }
    const found = data.find(({ subject }) => about.test(subject))
    if (found) return found
    if (Date.now() > deadline) throw new Error(`no mail about ${about} within ${STEP_MS} ms`)
    await Bun.sleep(POLL_MS)
  }
}

async function violations(page: Page): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag22aa'])
    .analyze()
  return found.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
}

for (const screen of [
  { name: 'on a desk', viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  { name: 'on a phone in the dark', viewport: { width: 360, height: 740 }, colorScheme: 'dark' },
] as const)
  test.skipIf(!hasBrowser)(
    `registering, waiting, choosing two seats and paying ends with a mail, ${screen.name}`,
    async () => {
      const context = await browser.newContext({ viewport: screen.viewport, colorScheme: screen.colorScheme })
      const page = await context.newPage()
      page.setDefaultTimeout(STEP_MS)
      const faults: string[] = []
      page.on('pageerror', (fault) => faults.push(fault.message))
      const address = `journey-${Bun.randomUUIDv7()}@example.test`
      const event = `${stack.run.url}/events/${stack.run.demo!.eventId}`
      const accessible = async () => expect(await violations(page)).toEqual([])

      await page.goto(`${stack.run.url}/register`)
      await page.getByLabel('Name').fill('Ada Buyer')
      await page.getByLabel('Email').fill(address)
      await page.getByLabel('Password').fill(PASSWORD)
      await accessible()
      await page.locator('form button[type=submit]').click()
      const [link] = (await mailTo(address, /confirm your email/i)).links
      await page.goto(link!)
      await page.locator('main button').first().click()

      await page.goto(`${stack.run.url}/login?next=${encodeURIComponent(new URL(event).pathname)}`)
      await page.getByLabel('Email').fill(address)
      await page.getByLabel('Password').fill(PASSWORD)
      await page.locator('form button[type=submit]').click()
      await page.waitForURL(event)
      await accessible()

      await page
        .getByRole('link', { name: 'Join the line' })
        .or(page.getByRole('button', { name: 'Join the line' }))
        .click()
      await page.getByRole('button', { name: /come in/i }).click()
      await page.waitForURL(`${event}/seats`)
      // The list is the same seats as the map, and the way without a pointer.
      await page.getByRole('button', { name: /^Stalls/ }).click()
      await page
        .getByRole('button', { name: /^Row/ })
        .nth(screen.name === 'on a desk' ? 0 : 1)
        .click()
      await page
        .getByRole('button', { name: /^Seat \w+, free/i })
        .first()
        .click()
      await page
        .getByRole('button', { name: /^Seat \w+, free/i })
        .first()
        .click()
      await accessible()
      await page.getByRole('button', { name: /hold and check out/i }).click()

      await page.waitForURL(/\/checkout\//)
      await accessible()
      await page.getByRole('button', { name: /^Pay/ }).click()
      await page.waitForURL(/\/confirmed$/)
      await accessible()
      expect(await page.locator('main').innerText()).toContain('178')
      const confirmation = await mailTo(address, /booked|confirmed|tickets/i)
      expect(confirmation.text).toContain('Stalls')
      expect(faults).toEqual([])
      await context.close()
    },
    JOURNEY_MS,
  )
