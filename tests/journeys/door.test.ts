// Walks the way of whoever works at the door: which door, a ticket, every answer, a network that goes; and axe on each.
import { beforeAll, describe, expect, test } from 'bun:test'
import type { Page } from 'playwright'
import type { Page as PageOf, RoleView, TicketView, UserView } from '../../server/protocol/http.ts'
import { hasBrowser } from '../support/browser.ts'
import { accessFaults, startJourney } from '../support/journey.ts'
import { callApi, startJourneySale, type JourneySale } from '../support/journey-sale.ts'

const TEST_MS = 120_000
const HOLD_SECONDS = 600
const PHONE = { width: 360, height: 740 }
/** Longer than a scanner's double press is taken for one. */
const NEXT_PRESS_MS = 1_700
/** Longer than a code must be out of sight to be another one. */
const OUT_OF_SIGHT_MS = 1_500

const journey = startJourney()
let sale: JourneySale
let staff: string
let organizer: string
/** Codes of tickets of the sale, each used by one test. */
let codes: string[]
let elsewhere: string
let refunded: string

const call = <T>(method: string, path: string, token: string, body?: unknown) =>
  callApi<T>(journey.run().url, method, path, { token, ...(body === undefined ? {} : { body }) })

async function tokenOf(role: string): Promise<string> {
  const { email, password } = journey.run().demo!.accounts.find((account) => account.role === role)!
  const body = { email, password }
  return (await callApi<{ accessToken: string }>(journey.run().url, 'POST', '/auth/login', { body }))
    .accessToken
}

async function newStaff(): Promise<string> {
  const { url } = journey.run()
  const [made] = await callApi<{ accessToken: string }[]>(url, 'POST', '/dev/buyers', { body: { count: 1 } })
  const token = made!.accessToken
  const admin = await tokenOf('ADMIN')
  const { id } = await call<UserView>('GET', '/auth/me', token)
  const roles = await call<PageOf<RoleView>>('GET', '/auth/admin/roles', admin)
  const roleIds = roles.items.filter(({ name }) => name === 'STAFF').map((role) => role.id)
  await call('PUT', `/auth/admin/users/${id}/roles`, admin, { roleIds })
  return token
}

async function codesOf(of: JourneySale, seats: number[]): Promise<{ codes: string[]; bookingId: string }> {
  const { booking, token, page } = await of.holding(seats)
  await page.context().close()
  await call('POST', `/payment/${booking.id}/confirm`, token, { method: 'sandbox_ok' })
  const { items } = await call<PageOf<TicketView>>('GET', '/ticket/mine', token)
  return { codes: items.map(({ code }) => code), bookingId: booking.id }
}

beforeAll(async () => {
  if (!hasBrowser) return
  sale = await startJourneySale(journey, HOLD_SECONDS)
  const other = await startJourneySale(journey, HOLD_SECONDS)
  organizer = await tokenOf('ORGANIZER')
  staff = await newStaff()
  codes = (await codesOf(sale, [0, 1, 2, 3, 4])).codes
  elsewhere = (await codesOf(other, [0])).codes[0]!
  const gone = await codesOf(sale, [10])
  refunded = gone.codes[0]!
  await call('POST', `/payment/${gone.bookingId}/refund`, organizer, { reason: 'Ill' })
}, TEST_MS)

async function openDoor(look: { locale?: string; colorScheme?: 'light' | 'dark' } = {}): Promise<Page> {
  const { url } = journey.run()
  const page = await journey.openPage({ viewport: PHONE, ...look })
  await page.context().addCookies([{ name: 'accessToken', value: staff, url }])
  await page.addInitScript(() => localStorage.setItem('onsale:signed-in', '1'))
  await page.goto(`${url}/door?event=${sale.eventId}`)
  return page
}

async function begin(page: Page, gate: string): Promise<void> {
  await page.locator('input[name=gate]').fill(gate)
  await page.locator('form button[type=submit]').click()
  await page.locator('input[name=code]').waitFor()
}

async function scan(page: Page, code: string, answer: string): Promise<void> {
  await page.locator('input[name=code]').fill(code)
  await page.keyboard.press('Enter')
  await page.locator(`.answer.${answer}`).waitFor()
}

describe.skipIf(!hasBrowser)('at the door', () => {
  test(
    'every ticket has its answer, in words, and nobody is kept from reading them',
    async () => {
      const page = await openDoor()
      expect(await accessFaults(page)).toEqual([])
      await begin(page, 'North')
      expect(await accessFaults(page)).toEqual([])
      const answer = page.locator('.answer')
      for (const [code, kind, words] of [
        [codes[0]!, 'admitted', 'Let in'],
        ['made-up', 'invalid', 'No such ticket'],
        [codes[0]!, 'already_used', 'at door “North”'],
        [elsewhere, 'wrong_event', 'Another event'],
        [refunded, 'refunded', 'Refunded'],
        ['x'.repeat(200), 'invalid', 'No such ticket'],
      ] as const) {
        await scan(page, code, kind)
        expect(await answer.textContent()).toContain(words)
        expect([kind, await accessFaults(page)]).toEqual([kind, []])
      }
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      expect(wide).toBe(0)
      await page.locator('dd', { hasText: '1' }).first().waitFor()
      // The device knows its door when it comes back.
      await page.goto(`${journey.run().url}/door`)
      await page.getByRole('heading', { name: 'North' }).waitFor()
      await page.context().close()
    },
    TEST_MS,
  )

  test(
    'a scanner that types its code twice lets one in, wherever the page is touched',
    async () => {
      const page = await openDoor()
      await begin(page, 'South')
      await page.locator('h1').click()
      for (let press = 0; press < 2; press += 1) {
        await page.keyboard.type(codes[1]!)
        await page.keyboard.press('Enter')
      }
      await page.locator('.answer.admitted').waitFor()
      await page.waitForTimeout(NEXT_PRESS_MS)
      expect(await page.locator('.answer.admitted').count()).toBe(1)
      // A ticket that is passed on meets the other answer.
      await scan(page, codes[1]!, 'already_used')
      await page.context().close()
    },
    TEST_MS,
  )

  test(
    'a code held before the camera is asked for once, and again once it was away',
    async () => {
      const page = await openDoor()
      await page.addInitScript(() => {
        // No camera here; what it would see stands in `seen`.
        Reflect.set(globalThis, 'BarcodeDetector', function () {
          return {
            detect: () => {
              const seen = sessionStorage.getItem('seen')
              return Promise.resolve(seen ? [{ rawValue: seen }] : [])
            },
          }
        })
        const picture = document.createElement('canvas')
        picture.getContext('2d')
        navigator.mediaDevices.getUserMedia = () => Promise.resolve(picture.captureStream())
      })
      await page.reload()
      await begin(page, 'Camera')
      const show = (code: string) => page.evaluate((seen) => sessionStorage.setItem('seen', seen), code)
      await page.getByRole('button', { name: 'Scan with the camera' }).click()
      await show(codes[4]!)
      await page.locator('.answer.admitted').waitFor()
      expect(await accessFaults(page)).toEqual([])
      await page.waitForTimeout(2 * NEXT_PRESS_MS)
      expect(await page.locator('.answer.admitted').count()).toBe(1)
      await show('')
      await page.waitForTimeout(OUT_OF_SIGHT_MS)
      await show(codes[4]!)
      await page.locator('.answer.already_used').waitFor()
      await page.getByRole('button', { name: 'Camera off' }).click()
      expect(await page.locator('video').count()).toBe(0)
      await page.context().close()
    },
    TEST_MS,
  )

  test(
    'a lost answer is asked for again, and is the same entry; without a network it says what to do',
    async () => {
      const page = await openDoor({ locale: 'id', colorScheme: 'dark' })
      await begin(page, 'Utara')
      await page.route('**/ticket/scan', async (route) => {
        await route.fetch()
        await route.abort()
      })
      await scan(page, codes[2]!, 'unanswered')
      expect(await page.locator('.answer').textContent()).toContain('Belum diperiksa')
      expect(await accessFaults(page)).toEqual([])
      await page.unroute('**/ticket/scan')
      await page.locator('.answer button').click()
      await page.locator('.answer.admitted').waitFor()
      expect(await page.locator('.answer').textContent()).toContain('Silakan masuk')
      await page.context().setOffline(true)
      await page.getByRole('alert').waitFor()
      await scan(page, codes[3]!, 'unanswered')
      expect(await accessFaults(page)).toEqual([])
      await page.context().setOffline(false)
      await page.locator('.answer button').click()
      await page.locator('.answer.admitted').waitFor()
      await page.context().close()
    },
    TEST_MS,
  )
})
