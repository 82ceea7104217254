// A person's whole way in a real browser, from an address nobody knows to a paid ticket and its mail: on a phone by touch, on
// a tablet with every page loaded anew and gone back from, on a desk without a pointer.
import { expect, test } from 'bun:test'
import type { Locator, Page } from 'playwright'
import { hasBrowser } from '../support/browser.ts'
import { accessFaults, startJourney, type Journey } from '../support/journey.ts'
import { keyboardOf, pointerOf, type Hands } from '../support/hands.ts'

const JOURNEY_MS = 90_000
const PASSWORD = 'a long enough secret'
/** Two seats of the demo's stalls. */
const PRICE = '178'
const journey = startJourney()

interface Way {
  name: string
  row: string
  options: { viewport: { width: number; height: number }; colorScheme: 'light' | 'dark'; hasTouch?: boolean }
  handsOf: (page: Page) => Promise<Hands>
  /** Loads each page anew, and goes back from it and forward to it. */
  wavers?: boolean
}
const WAYS: Way[] = [
  {
    name: 'on a phone in the dark, by touch',
    row: 'A',
    options: { viewport: { width: 360, height: 740 }, colorScheme: 'dark', hasTouch: true },
    handsOf: async () => pointerOf((target) => target.tap()),
  },
  {
    name: 'on a tablet, pressing twice, with every page loaded anew and gone back from',
    row: 'B',
    options: { viewport: { width: 768, height: 1_024 }, colorScheme: 'light' },
    handsOf: async () =>
      pointerOf(
        (target) => target.click(),
        (target) => target.dblclick(),
      ),
    wavers: true,
  },
  {
    name: 'on a desk, by keyboard alone',
    row: 'C',
    options: { viewport: { width: 1_440, height: 900 }, colorScheme: 'light' },
    handsOf: keyboardOf,
  },
]

for (const way of WAYS)
  test.skipIf(!hasBrowser)(
    `registering, waiting, choosing two seats and paying ends with a mail, ${way.name}`,
    async () => {
      const page = await journey.openPage(way.options)
      const run = journey.run()
      const hands = await way.handsOf(page)
      const faults: string[] = []
      page.on('pageerror', (fault) => faults.push(fault.message))
      const address = `journey-${Bun.randomUUIDv7()}@example.test`
      const event = `${run.url}/events/${run.demo!.eventId}`
      const button = (name: string | RegExp) => page.getByRole('button', { name })
      const waver = (stands: Locator) => (way.wavers ? reloadAndReturn(page, stands) : stands.waitFor())

      await register(page, hands, address)
      await signIn(page, hands, address, new URL(event).pathname)
      await page.waitForURL(event)
      const join = page.getByRole('link', { name: 'Join the line' }).or(button('Join the line'))
      await waver(join)
      expect(await accessFaults(page)).toEqual([])
      await hands.press(join)
      if (way.wavers) await page.reload()
      await hands.insist(button(/come in/i))
      await page.waitForURL(`${event}/seats`)
      await waver(page.getByText('You may choose for'))

      // The list is the same seats as the map, and the way without a pointer.
      await hands.press(button(/^Stalls/))
      const seat = page.getByRole('gridcell', { name: new RegExp(`^Row ${way.row}, seat 1,`) })
      await (hands.pick?.(`${way.row.toLowerCase()}1`, seat) ?? hands.press(seat))
      expect(await accessFaults(page)).toEqual([])
      await hands.insist(button(/hold and check out/i))

      await page.waitForURL(/\/checkout\//)
      await waver(button(/^Pay/))
      expect(await accessFaults(page)).toEqual([])
      if (way.wavers) await comeByLink(page, hands, address)
      await hands.press(button(/^Pay/))
      await page.waitForURL(/\/confirmed$/)
      await waver(page.getByRole('heading', { name: 'The seats are yours' }))
      expect(await accessFaults(page)).toEqual([])
      expect(await page.locator('main').innerText()).toContain(PRICE)
      const confirmation = await journey.mailTo(address, ({ subject }) =>
        /booked|confirmed|tickets/i.test(subject),
      )
      expect(confirmation.text).toContain('Stalls')
      if (way.handsOf === keyboardOf) expect(await hands.pointerEvents()).toBe(0)
      expect(faults).toEqual([])
      await page.context().close()
    },
    JOURNEY_MS,
  )

async function register(page: Page, hands: Hands, address: string): Promise<void> {
  await page.goto(`${journey.run().url}/register`)
  await hands.write(page.getByLabel('Name'), 'Ada Buyer')
  await hands.write(page.getByLabel('Email'), address)
  await hands.write(page.getByLabel('Password'), PASSWORD)
  await hands.insist(page.locator('form button[type=submit]'))
  await page.goto(await linkOf(journey, address))
  await hands.press(page.locator('main button').first())
  await page.getByRole('heading', { name: 'Your address is confirmed' }).waitFor()
}

async function linkOf({ mailTo }: Journey, address: string): Promise<string> {
  const mail = await mailTo(address, ({ subject }) => /confirm your email/i.test(subject))
  return mail.links[0]!
}

async function signIn(page: Page, hands: Hands, address: string, next: string): Promise<void> {
  await page.goto(`${journey.run().url}/login?next=${encodeURIComponent(next)}`)
  await fillSignIn(page, hands, address)
}

async function fillSignIn(page: Page, hands: Hands, address: string): Promise<void> {
  await hands.write(page.getByLabel('Email'), address)
  await hands.write(page.getByLabel('Password'), PASSWORD)
  await hands.press(page.locator('form button[type=submit]'))
}

/** The same page, loaded anew and after going back and forward again, shows the same. */
async function reloadAndReturn(page: Page, stands: Locator): Promise<void> {
  const { pathname } = new URL(page.url())
  await stands.waitFor()
  await page.reload()
  await stands.waitFor()
  await page.goBack()
  await page.waitForURL((url) => url.pathname !== pathname)
  await page.goForward()
  await page.waitForURL((url) => url.pathname === pathname)
  await stands.waitFor()
}

/** A link to the checkout, opened where nobody is signed in, leads back to it. */
async function comeByLink(page: Page, hands: Hands, address: string): Promise<void> {
  const checkout = page.url()
  await page.context().clearCookies()
  await page.evaluate(() => localStorage.clear())
  await page.goto(checkout)
  await page.waitForURL(/\/login\?next=/)
  await fillSignIn(page, hands, address)
  await page.waitForURL(checkout)
}
