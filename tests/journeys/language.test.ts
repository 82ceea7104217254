// A person's language goes with them: from the account at signing in, and back to it when they choose another one.
import { describe, expect, test } from 'bun:test'
import type { UserView } from '../../server/protocol/http.ts'
import { hasBrowser } from '../support/browser.ts'
import { accessFaults, startJourney } from '../support/journey.ts'
import { demoToken, openJourneyRoom } from '../support/journey-room.ts'
import { callApi } from '../support/journey-sale.ts'

const TEST_MS = 90_000
const journey = startJourney()

describe.skipIf(!hasBrowser)('the language', () => {
  test(
    'of an account is that of its sign-in; another one chosen in the line is the account’s',
    async () => {
      const { url, demo } = journey.run()
      const { email, password } = demo!.accounts.find(({ role }) => role === 'USER')!
      const token = await demoToken(journey, 'USER')
      const me = (change?: object) =>
        callApi<UserView>(url, change ? 'PATCH' : 'GET', '/auth/me', { token, body: change })
      await me({ language: 'id' })
      const page = await journey.openPage({ locale: 'en', viewport: { width: 360, height: 740 } })
      // A lobby: nobody is let in meanwhile, so the page stays.
      const { eventId } = await openJourneyRoom(journey, { name: 'An evening', onSale: 60, lobby: -1 })
      const room = `/events/${eventId}/room`
      await page.goto(`${url}/login?next=${encodeURIComponent(room)}`)
      expect(await page.locator('html').getAttribute('lang')).toBe('en')
      await page.locator('input[name=email]').fill(email)
      await page.locator('input[name=password]').fill(password)
      await page.locator('form button[type=submit]').click()
      await page.locator('html[lang=id]').waitFor()
      // The page of the line alone, then its head's choice.
      await page.goto(url + room)
      const choice = page.locator('header select')
      await choice.waitFor()
      expect(await accessFaults(page)).toEqual([])
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0)
      await choice.selectOption('en')
      await page.locator('html[lang=en]').waitFor()
      expect((await me()).language).toBe('en')
      await page.context().close()
    },
    TEST_MS,
  )
})
