// The last steps in a real browser: every fate of a payment, more time, seats given back, and the ticket at the door.
import { beforeAll, describe, expect, test } from 'bun:test'
import { hasBrowser } from '../support/browser.ts'
import { accessFaults, startJourney } from '../support/journey.ts'
import { startJourneySale, type JourneySale } from '../support/journey-sale.ts'

const JOURNEY_MS = 90_000
const HOLD_SECONDS = 120
const journey = startJourney()
const PHONE = { viewport: { width: 360, height: 740 }, colorScheme: 'dark' } as const

let sale: JourneySale
beforeAll(async () => {
  if (hasBrowser) sale = await startJourneySale(journey, HOLD_SECONDS)
}, JOURNEY_MS)

const checkout = (bookingId: string) => `${journey.run().url}/checkout/${bookingId}`

describe.skipIf(!hasBrowser)('paying', () => {
  test(
    'a declined card keeps the seats, and the next one pays; a second press pays nothing twice',
    async () => {
      const { page, booking, token } = await sale.holding([0, 1])
      await page.goto(checkout(booking.id))
      await page.getByLabel(/declined/).check()
      await page.getByRole('button', { name: /^Pay/ }).click()
      await page.getByText('The payment was declined').waitFor()
      expect(await accessFaults(page)).toEqual([])
      await page.getByLabel(/that works/).check()
      await page.getByRole('button', { name: /^Pay/ }).dblclick()
      await page.waitForURL(/\/confirmed$/)
      await page.goBack().catch(() => null)
      await page.goto(checkout(booking.id))
      await page.waitForURL(/\/confirmed$/)
      const answer = await fetch(`${journey.run().url}/api/v1/booking/${booking.id}`, {
        headers: { authorization: `Bearer ${token}` },
      })
      const { timeline } = ((await answer.json()) as { data: { timeline: { what: string }[] } }).data
      expect(timeline.filter(({ what }) => what === 'payment_captured')).toHaveLength(1)
      await page.context().close()
    },
    JOURNEY_MS,
  )

  test(
    'a slow bank and a lost answer are waited for, through a reload, and end with the seats',
    async () => {
      for (const [seat, card] of [
        [2, /is slow/],
        [3, /gets lost/],
      ] as const) {
        const { page, booking } = await sale.holding([seat])
        await page.goto(checkout(booking.id))
        await page.getByLabel(card).check()
        await page.getByRole('button', { name: /^Pay/ }).click()
        await page.reload()
        await page.waitForURL(/\/confirmed$/, { timeout: 60_000 })
        await page.context().close()
      }
    },
    JOURNEY_MS,
  )

  test(
    'five minutes more are given once, and seats that are given back are free again',
    async () => {
      const { page, booking, token } = await sale.holding([4, 5], PHONE)
      await page.goto(checkout(booking.id))
      await page.getByRole('button', { name: 'Five minutes more' }).click()
      await page.getByText('You have five minutes more.').waitFor()
      const own = async () =>
        (
          (await (
            await fetch(`${journey.run().url}/api/v1/booking/${booking.id}`, {
              headers: { authorization: `Bearer ${token}` },
            })
          ).json()) as { data: { expiresAt: string; status: string } }
        ).data
      const later = Date.parse((await own()).expiresAt) - Date.parse(booking.expiresAt)
      expect(later).toBeGreaterThanOrEqual((HOLD_SECONDS - 5) * 1_000)
      await page.reload()
      await page.getByText('Held for you').waitFor()
      expect(await page.getByRole('button', { name: 'Five minutes more' }).count()).toBe(0)

      await page.getByRole('button', { name: 'Give the seats back' }).click()
      await page.getByRole('dialog').waitFor()
      expect(await accessFaults(page)).toEqual([])
      await page.getByRole('button', { name: 'Give back', exact: true }).click()
      await page.getByText('Somebody else may take them now').waitFor()
      expect((await own()).status).toBe('CANCELLED')
      await page.context().close()
    },
    JOURNEY_MS,
  )
})

test.skipIf(!hasBrowser)(
  'a ticket shows its code, on a phone in the dark, and in the other language',
  async () => {
    const { page, booking } = await sale.holding([10, 11], PHONE)
    const { url } = journey.run()
    await page.goto(checkout(booking.id))
    await page.getByRole('button', { name: /^Pay/ }).click()
    await page.waitForURL(/\/confirmed$/)
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Add to calendar' }).click(),
    ])
    expect(await Bun.file((await file.path())!).text()).toContain('SUMMARY:Night of strings')

    await page.getByRole('main').getByRole('link', { name: 'My tickets' }).click()
    await page.getByRole('link', { name: /row B, seat 1/i }).click()
    await page.getByRole('img', { name: /^Code for the door: [\w-]{22}$/ }).waitFor()
    expect(await accessFaults(page)).toEqual([])
    await page.getByRole('link', { name: 'Next ticket' }).click()
    await page.getByText('row B, seat 2').waitFor()

    // The door has no network: the page is loaded anew without one, and shows the ticket as it was seen.
    await page.evaluate(() => navigator.serviceWorker.ready)
    await page.reload()
    await page.getByRole('img', { name: /^Code for the door/ }).waitFor()
    await page.context().setOffline(true)
    await page.reload()
    await page.getByRole('img', { name: /^Code for the door: [\w-]{22}$/ }).waitFor()
    await page.getByText('Kept on this device').waitFor()
    await page.context().setOffline(false)

    await page.goto(`${url}/account`)
    await page.getByLabel('Your name').fill('Sri Lestari')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved.').waitFor()
    expect(await accessFaults(page)).toEqual([])
    await page.locator('main select').selectOption('id')
    await page.getByRole('heading', { name: 'Siapa Anda' }).waitFor()
    expect(await page.locator('html').getAttribute('lang')).toBe('id')
    await page.goto(`${url}/tickets`)
    await page.getByText('Tampilkan kode').first().waitFor()
    await page.context().close()
  },
  JOURNEY_MS,
)
