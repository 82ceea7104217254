// Holds the Swagger page to its use: in a browser, without internet, an operation can be tried and does its work.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { chromium } from 'playwright'
import { START_WITHIN_MS, startApp, type AppHarness } from '../support/app-harness.ts'

const CHROMIUM = Bun.which('chromium') ?? Bun.which('chromium-browser') ?? Bun.which('google-chrome')
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run']
const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-sync']
const BROWSER_WITHIN_MS = 90_000

let app: AppHarness
beforeAll(async () => {
  app = await startApp()
}, START_WITHIN_MS)
afterAll(() => app.close())

test.skipIf(CHROMIUM === null)(
  'a buyer authorizes, tries POST /booking, and the seat is held; nothing is asked of another host',
  async () => {
    const event = await app.event()
    const buyer = await app.person()
    const browser = await chromium.launch({ executablePath: CHROMIUM!, args: [...FLAGS, ...QUIET] })
    try {
      const page = await browser.newPage()
      const foreign: string[] = []
      page.on('request', (request) => {
        if (!request.url().startsWith(app.url) && !request.url().startsWith('data:'))
          foreign.push(request.url())
      })
      await page.goto(`${app.url}/api/docs`)
      const booking = page.locator('#operations-Booking-postApiV1Booking')
      await booking.waitFor()
      await page.locator('button.authorize').first().click()
      await page.locator('.auth-container input[type=text]').first().fill(buyer.token)
      await page.locator('.auth-container button.authorize').first().click()
      await page.locator('button.btn-done').first().click()
      await booking.locator('.opblock-summary').click()
      await booking.locator('button.try-out__btn').click()
      await booking.locator('textarea').fill(JSON.stringify({ seatId: event.seatId(0) }))
      await booking.locator('button.execute').click()
      const status = booking.locator('.live-responses-table tbody .response-col_status').first()
      await status.waitFor()
      expect(await status.innerText()).toContain('201')
      expect(foreign).toEqual([])
    } finally {
      await browser.close()
    }
    const mine = await app.call('GET', '/booking/mine', { token: buyer.token })
    expect(mine.body.data.items.map(({ status }: { status: string }) => status)).toEqual(['PENDING'])
  },
  BROWSER_WITHIN_MS,
)
