// A person's whole way in a real browser: from an address nobody knows to a paid ticket and its mail.
import { expect, test } from 'bun:test'
import { hasBrowser } from '../support/browser.ts'
import { accessFaults, startJourney } from '../support/journey.ts'

const JOURNEY_MS = 90_000
const PASSWORD = 'a long enough secret'
const journey = startJourney()

for (const screen of [
  { name: 'on a desk', viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  { name: 'on a phone in the dark', viewport: { width: 360, height: 740 }, colorScheme: 'dark' },
] as const)
  test.skipIf(!hasBrowser)(
    `registering, waiting, choosing two seats and paying ends with a mail, ${screen.name}`,
    async () => {
      const { viewport, colorScheme } = screen
      const page = await journey.openPage({ viewport, colorScheme })
      const run = journey.run()
      const faults: string[] = []
      page.on('pageerror', (fault) => faults.push(fault.message))
      const address = `journey-${Bun.randomUUIDv7()}@example.test`
      const event = `${run.url}/events/${run.demo!.eventId}`
      const accessible = async () => expect(await accessFaults(page)).toEqual([])

      await page.goto(`${run.url}/register`)
      await page.getByLabel('Name').fill('Ada Buyer')
      await page.getByLabel('Email').fill(address)
      await page.getByLabel('Password').fill(PASSWORD)
      await accessible()
      await page.locator('form button[type=submit]').click()
      const [link] = (await journey.mailTo(address, ({ subject }) => /confirm your email/i.test(subject)))
        .links
      await page.goto(link!)
      await page.locator('main button').first().click()

      await page.goto(`${run.url}/login?next=${encodeURIComponent(new URL(event).pathname)}`)
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
      // A party of two by default: one press takes a seat and its neighbour.
      await page
        .getByRole('gridcell', { name: screen.name === 'on a desk' ? /^Row A, .*free/ : /^Row B, .*free/ })
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
      const confirmation = await journey.mailTo(address, ({ subject }) =>
        /booked|confirmed|tickets/i.test(subject),
      )
      expect(confirmation.text).toContain('Stalls')
      expect(faults).toEqual([])
      await page.context().close()
    },
    JOURNEY_MS,
  )
