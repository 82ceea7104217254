// What the window makes of an organiser who writes anything at all, a clock that is hours off, a socket that says nothing, a
// server that refuses everything, and a browser without JavaScript: it stays whole, says so, and goes on.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { BrowserContext, Page } from 'playwright'
import { LIMITS } from '../../server/protocol/codes.ts'
import { hasBrowser } from '../support/browser.ts'
import { startJourney } from '../support/journey.ts'
import { fillInside, openJourneyRoom, type JourneyRoom } from '../support/journey-room.ts'
import { openSocketGate, type SocketGate } from '../support/socket-gate.ts'

const JOURNEY_MS = 90_000
const HOUR_MS = 3_600_000
/** Of an event that says nothing else. */
const HOLD_SECONDS = 900
const PHONE = { viewport: { width: 360, height: 740 } }
const MARKUP = `"><img src=x onerror="globalThis.broken=1"><script>globalThis.broken=1</script>`
/** Markup, a mark that turns the writing round, right to left letters, and one word without an end. */
const wordsOf = (length: number) => `${MARKUP}\u202Eمهرجان ${'W'.repeat(length)}`.slice(0, length)
const NAME = wordsOf(LIMITS.nameMax)
const journey = startJourney()
let gate: SocketGate
beforeAll(async () => {
  if (!hasBrowser) return
  gate = await openSocketGate(journey.run().url)
  gate.shut = false
}, JOURNEY_MS)
afterAll(() => gate?.close())

/** Writes down what the page's policy had to refuse. */
async function watchPolicy(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const refused: string[] = []
    Object.assign(globalThis, { refused })
    document.addEventListener('securitypolicyviolation', ({ violatedDirective }) =>
      refused.push(violatedDirective),
    )
  })
}

const whatHappened = (page: Page) =>
  page.evaluate(() => ({
    path: location.pathname,
    ran: 'broken' in globalThis,
    refused: (globalThis as unknown as { refused: string[] }).refused,
    wide: document.documentElement.scrollWidth - innerWidth,
  }))

/** Seconds the first countdown on the page has left. */
async function secondsLeft(page: Page): Promise<number> {
  const shown = page.locator('[role=timer]').first()
  await shown.waitFor({ state: 'attached' })
  const parts = (await shown.locator('xpath=preceding-sibling::*[1]').innerText()).split(':').map(Number)
  return parts.reduce((sum, part) => sum * 60 + part, 0)
}

describe.skipIf(!hasBrowser)('whatever an organiser writes', () => {
  test(
    'is words on every screen of a buyer, runs nothing, and fits a phone',
    async () => {
      const { url } = journey.run()
      const sections = [
        { name: NAME, tier: { name: wordsOf(100), price: 2_500 }, rows: 2, seatsPerRow: 10 },
        { name: 'Box', tier: { name: 'Only', price: 100 }, rows: 1, seatsPerRow: 1 },
      ]
      const event = { location: NAME, description: wordsOf(LIMITS.textMax) }
      const room = await openJourneyRoom(journey, {
        name: NAME,
        sections,
        event,
        settings: { activeMax: 100 },
      })
      await room.manage('POST', '/room/notice', { text: wordsOf(LIMITS.noticeMax) })
      const waiting = await openJourneyRoom(journey, { name: NAME, sections, event })
      await fillInside(waiting)
      await waiting.manage('POST', '/room/notice', { text: wordsOf(LIMITS.noticeMax) })
      const { context } = await room.buyer(url, PHONE)
      await watchPolicy(context)
      const page = await context.newPage()
      const seen: object[] = []
      const look = async () => seen.push(await whatHappened(page))
      const see = async (path: string, text: string | RegExp) => {
        await page.goto(url + path)
        await page.getByText(text).filter({ visible: true }).first().waitFor()
        await look()
      }
      await see('/', MARKUP)
      await see(`/events/${room.eventId}`, 'To everyone')
      await see(`/events/${waiting.eventId}/room`, 'Meanwhile')
      await see(`/events/${waiting.eventId}/room`, MARKUP)
      await see(`/events/${room.eventId}/room`, 'It is your turn')
      await page.getByRole('button', { name: /come in/i }).click()
      await page.waitForURL(/\/seats$/)
      await page.getByRole('button', { name: 'Find the best 2 together' }).click()
      await page.getByRole('button', { name: 'Check out', exact: true }).click({ trial: true })
      await look()
      await page.getByRole('button', { name: 'Check out', exact: true }).click()
      await page.getByRole('button', { name: /^Pay/ }).click({ trial: true })
      await look()
      await page.getByRole('button', { name: /^Pay/ }).click()
      await page.waitForURL(/\/confirmed$/)
      await see(new URL(page.url()).pathname, 'Add to calendar')
      await see('/bookings', MARKUP)
      await see('/tickets', MARKUP)
      await page.locator('main a[href^="/tickets/"]').first().click()
      await page.getByRole('img', { name: /^Code for the door/ }).waitFor()
      await look()
      expect(seen).toEqual(seen.map((one) => ({ ...one, ran: false, refused: [], wide: 0 })))
      // What would have told on a page that runs words does tell.
      await page.evaluate(
        (markup) => document.querySelector('main')!.insertAdjacentHTML('beforeend', markup),
        MARKUP,
      )
      await page.waitForFunction(() => (globalThis as unknown as { refused: string[] }).refused.length > 0)
      expect((await whatHappened(page)).ran).toBe(false)
      await context.close()
    },
    JOURNEY_MS,
  )

  test('is refused past its length, in words that name the field', async () => {
    const long = openJourneyRoom(journey, { name: 'W'.repeat(300) })
    await expect(long).rejects.toThrow(/400/)
  })
})

describe.skipIf(!hasBrowser)('a buyer', () => {
  for (const hours of [-7, 7])
    test(
      `whose clock is ${hours} hours off counts down to the same moment, and comes in`,
      async () => {
        const { url } = journey.run()
        const scheduled = await openJourneyRoom(journey, { onSale: 60, lobby: 30 })
        const room = await openJourneyRoom(journey)
        const { context } = await room.buyer(url, PHONE)
        const page = await context.newPage()
        await page.clock.install({ time: Date.now() + hours * HOUR_MS })
        const expectAbout = async (seconds: number) => {
          const left = await secondsLeft(page)
          expect(left).toBeLessThanOrEqual(seconds + 5)
          expect(left).toBeGreaterThan(seconds - 60)
        }
        await page.goto(`${url}/events/${scheduled.eventId}/room`)
        await page.getByRole('heading', { name: 'The line is not open yet' }).waitFor()
        await expectAbout(30 * 60)
        await page.goto(`${url}/events/${room.eventId}/room`)
        await page.getByRole('heading', { name: 'It is your turn' }).waitFor()
        await expectAbout(600)
        await page.getByRole('button', { name: /come in/i }).click()
        await page.waitForURL(/\/seats$/)
        await page.reload()
        await page.getByText('You may choose for').waitFor()
        await expectAbout(600)
        await page.getByRole('button', { name: 'Find the best 2 together' }).click()
        await page.getByRole('button', { name: 'Check out', exact: true }).click()
        await page.getByText('Held for you').waitFor()
        await expectAbout(HOLD_SECONDS)
        await page.getByRole('button', { name: /^Pay/ }).click()
        await page.waitForURL(/\/confirmed$/)
        await context.close()
      },
      JOURNEY_MS,
    )

  test(
    'whose socket opens and says nothing has the same place over another way',
    async () => {
      const { url } = journey.run()
      const room = await openJourneyRoom(journey)
      const inside = await fillInside(room)
      const buyer = await room.buyer(url, PHONE)
      const page = await buyer.context.newPage()
      await page.routeWebSocket('**/ws/**', () => {})
      await page.goto(`${url}/events/${room.eventId}/room`)
      await page.getByText('Connected another way').waitFor()
      await page.getByRole('heading', { name: 'You are next' }).waitFor()
      expect((await buyer.me()).state).toBe('waiting')
      await inside.leave()
      await page.getByRole('heading', { name: 'It is your turn' }).waitFor()
      await buyer.context.close()
    },
    JOURNEY_MS,
  )

  test(
    'is told when everything is refused or nothing is reached, loads the page all the same, and keeps the place',
    async () => {
      const room = await openJourneyRoom(journey)
      const inside = await fillInside(room)
      const buyer = await room.buyer(gate.url, PHONE)
      const page = await buyer.context.newPage()
      await page.goto(`${gate.url}/events/${room.eventId}/room`)
      await page.getByRole('heading', { name: 'You are next' }).waitFor()
      await page.evaluate(() => navigator.serviceWorker.ready)
      // What is kept for such a time is kept when it comes through the one that keeps it.
      await page.reload()
      await page.getByRole('heading', { name: 'You are next' }).waitFor()
      const { number } = await buyer.me()
      for (const trouble of ['refuses', 'cut'] as const) {
        gate[trouble] = true
        await page.reload()
        await page.getByText('Onsale does not answer just now').waitFor()
        await page.getByText('you were next').waitFor()
        gate[trouble] = false
        await page.getByRole('heading', { name: 'You are next' }).waitFor()
        await page.getByText('Onsale does not answer just now').waitFor({ state: 'detached' })
        expect((await buyer.me()).number).toBe(number)
      }
      await inside.leave()
      await page.getByRole('heading', { name: 'It is your turn' }).waitFor()
      await buyer.context.close()
    },
    JOURNEY_MS,
  )

  for (const [path, shown] of [
    ['/', 'A quiet evening'],
    ['/bookings', 'You have no bookings yet.'],
  ] as const)
    test(
      `who is refused at ${path} is told so and may try again`,
      async () => {
        const buyer = await (await openJourneyRoom(journey)).buyer(journey.run().url, PHONE)
        const page = await buyer.context.newPage()
        await page.goto(journey.run().url + path)
        await page.getByText(shown).first().waitFor()
        const refused = { statusCode: 503, message: 'no', error: '', code: 'overloaded' }
        await page.route('**/api/v1/**', (route) => route.fulfill({ status: 503, json: refused }))
        await page.reload()
        await page
          .getByText(/Very many people are here/)
          .first()
          .waitFor()
        await page.unroute('**/api/v1/**')
        await page.getByRole('button', { name: 'Try again' }).first().click()
        await page.getByText(shown).first().waitFor()
        await buyer.context.close()
      },
      JOURNEY_MS,
    )

  test(
    'without JavaScript signs in, waits, is called and comes in on pages that ask again by themselves',
    async () => {
      const { url, demo } = journey.run()
      const room = await openJourneyRoom(journey)
      const inside = await fillInside(room)
      const { email, password } = demo!.accounts.find(({ role }) => role === 'USER')!
      const page = await journey.openPage({ ...PHONE, javaScriptEnabled: false })
      await page.goto(`${url}/events/${room.eventId}/room`)
      await page.waitForURL(/plain/)
      await page.getByLabel('Email').fill(email)
      await page.getByLabel('Password').fill(password)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('button', { name: 'Join the line' }).click()
      await page.getByRole('heading', { name: 'You are next' }).waitFor()
      await expectSamePlace(room, page, url)
      await inside.leave()
      await page.getByRole('heading', { name: 'It is your turn' }).waitFor()
      await page.getByRole('button', { name: 'Come in' }).click()
      await page.getByRole('heading', { name: 'You are let in' }).waitFor()
      await page.context().close()
    },
    JOURNEY_MS,
  )
})

/** The same account with JavaScript, on another device, stands where the plain page says. */
async function expectSamePlace(room: JourneyRoom, plain: Page, url: string): Promise<void> {
  const cookies = await plain.context().cookies()
  const token = cookies.find(({ name }) => name === 'accessToken')!.value
  const answer = await fetch(`${url}/api/v1/event/${room.eventId}/room/me`, {
    headers: { authorization: `Bearer ${token}` },
  })
  expect(await answer.json()).toMatchObject({ data: { state: 'waiting', ahead: 0 } })
  expect(await plain.locator('meta[http-equiv=refresh]').getAttribute('content')).toMatch(/^\d+$/)
}
