// An organiser invites guests in a real browser, sees what became of the invitations, and takes unused ones back.
import { beforeAll, describe, expect, test } from 'bun:test'
import type { Page } from 'playwright'
import { hasBrowser } from '../support/browser.ts'
import { accessFaults, startJourney } from '../support/journey.ts'
import { demoToken, signedIn, visitorOf } from '../support/journey-room.ts'
import { callApi, startJourneySale, type JourneySale } from '../support/journey-sale.ts'

const TEST_MS = 120_000
const journey = startJourney()
let sale: JourneySale
let organizer: string

beforeAll(async () => {
  if (!hasBrowser) return
  sale = await startJourneySale(journey, 600)
  organizer = await demoToken(journey, 'ORGANIZER')
}, TEST_MS)

async function invite(page: Page, count: number): Promise<string[]> {
  await page.locator('input[name=count]').fill(String(count))
  await page.getByRole('button', { name: 'Make invitations' }).click()
  const links = page.locator('textarea[readonly]')
  await links.waitFor()
  return (await links.inputValue()).split('\n')
}

const redeem = (token: string, link: string) =>
  callApi(journey.run().url, 'POST', `/event/${sale.eventId}/room/priority/redeem`, {
    token,
    body: { invitation: link.split('#')[1] },
  })

describe.skipIf(!hasBrowser)('invitations', () => {
  test(
    'are counted, and withdrawn by their link or all together',
    async () => {
      const { url } = journey.run()
      const page = await (
        await signedIn(journey, organizer, url, { viewport: { width: 360, height: 740 } })
      ).newPage()
      await page.goto(`${url}/organise/${sale.eventId}/room`)
      const links = await invite(page, 3)
      expect(links).toHaveLength(3)
      await page.getByText('0 used · 3 unused · 0 withdrawn').waitFor()
      const { token } = await visitorOf(url)
      await redeem(token, links[0]!)
      await page.getByLabel('Links to withdraw').fill(links[1]!)
      await page.getByRole('button', { name: 'Withdraw these' }).click()
      await page.getByText('1 invitation withdrawn.').waitFor()
      await page.getByText('1 used · 1 unused · 1 withdrawn').waitFor()
      await page.getByRole('button', { name: 'Withdraw 1 unused…' }).click()
      expect(await accessFaults(page)).toEqual([])
      await page.getByRole('button', { name: 'Yes, withdraw 1' }).click()
      await page.getByText('1 used · 0 unused · 2 withdrawn').waitFor()
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0)
      await expect(redeem(token, links[2]!)).rejects.toThrow(/withdrawn/)
      await page.context().close()
    },
    TEST_MS,
  )
})
