// Choosing seats as people do: by the button, on the map with a pointer, in the list with a keyboard alone; and what the
// page says when somebody was faster, when nothing is there, and when the server refuses everything.
import { expect, test } from 'bun:test'
import type { BrowserContextOptions, Page } from 'playwright'
import type { MapView } from '../../server/protocol/http.ts'
import { expandMap } from '../../server/protocol/seat-map.ts'
import { fitBox, toScreen } from '../../web/src/components/seat-map/viewport.ts'
import { hasBrowser } from '../support/browser.ts'
import { accessFaults, startJourney } from '../support/journey.ts'

const JOURNEY_MS = 90_000
const PREMIUM = 9_000
const DESK = { viewport: { width: 1280, height: 800 }, colorScheme: 'light' } as const
const PHONE = { viewport: { width: 360, height: 740 }, colorScheme: 'dark' } as const
const HALL = [
  { name: 'Stalls', tier: { name: 'Premium', price: PREMIUM }, rows: 3, seatsPerRow: 10 },
  { name: '<img src=x onerror=alert(1)>', tier: { name: 'אולם', price: 5_000 }, rows: 2, seatsPerRow: 8 },
]
const journey = startJourney()

async function call<T>(path: string, body?: unknown, token?: string): Promise<T> {
  const answer = await fetch(`${journey.run().url}/api/v1${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-client': 'api',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: body === undefined ? null : JSON.stringify(body),
  })
  const said = (await answer.json()) as { data: T; code?: string }
  if (!answer.ok) throw new Error(`${path} answered ${answer.status} ${said.code}`)
  return said.data
}

async function signIn(): Promise<string> {
  const { email, password } = journey.run().demo!.accounts.find(({ role }) => role === 'ORGANIZER')!
  return (await call<{ accessToken: string }>('/auth/login', { email, password })).accessToken
}
/** Once: an account that signs in again and again is refused for a while. */
let signedIn: Promise<string> | undefined

async function sell(sections: object[]): Promise<string> {
  const accessToken = await (signedIn ??= signIn())
  const { id } = await call<{ id: string }>(
    '/event',
    {
      name: 'An evening',
      location: 'Here',
      startsAt: new Date(Date.now() + 30 * 86_400_000).toISOString(),
      currency: 'EUR',
      timeZone: 'UTC',
    },
    accessToken,
  )
  await call(`/event/${id}/seats`, { sections }, accessToken)
  await call(`/event/${id}/publish`, undefined, accessToken)
  return id
}

const buyers = async (count: number) => call<{ accessToken: string }[]>('/dev/buyers', { count })

async function open(
  eventId: string,
  options: BrowserContextOptions,
): Promise<{ page: Page; faults: string[] }> {
  const page = await journey.openPage(options)
  const faults: string[] = []
  page.on('pageerror', (fault) => faults.push(fault.message))
  const [buyer] = await buyers(1)
  const { url } = journey.run()
  await page.context().addCookies([{ name: 'accessToken', value: buyer!.accessToken, url }])
  await page.addInitScript(() => localStorage.setItem('onsale:signed-in', '1'))
  await page.goto(`${url}/events/${eventId}/seats`)
  return { page, faults }
}

/** Where seat n is to be clicked while the whole map is in sight. */
async function pointOf(page: Page, eventId: string, n: number) {
  const answer = await fetch(`${journey.run().url}/api/v1/event/${eventId}/map`)
  const map = ((await answer.json()) as { data: MapView }).data
  const positions = expandMap(map)
  const box = (await page.locator('.frame canvas').boundingBox())!
  const view = fitBox({ left: 0, top: 0, right: map.width, bottom: map.height }, box)
  const at = toScreen(view, box, positions[2 * n]!, positions[2 * n + 1]!)
  return { x: box.x + at.x, y: box.y + at.y }
}

/** The answer for a map, or for its availability, as if there were no seat. */
const withoutSeats = (json: { data: object }) => ({
  ...json,
  data: { ...json.data, total: 0, sections: [], status: '' },
})

const basket = (page: Page) => page.getByRole('region', { name: 'Your choice' })
const accessible = async (page: Page) => expect(await accessFaults(page)).toEqual([])

test.skipIf(!hasBrowser)(
  'the best two together are held by one button and shown, and can be given back',
  async () => {
    const { page, faults } = await open(await sell(HALL), DESK)
    await accessible(page)
    await page.getByRole('button', { name: 'Find the best 2 together' }).click()
    await basket(page).getByText('Held for you').waitFor()
    expect(await basket(page).innerText()).toContain('Stalls, row A: seats 5, 6')
    expect(await basket(page).innerText()).toContain('180')
    await accessible(page)
    await page.reload()
    await basket(page).getByText('Held for you').waitFor()
    await page.getByRole('button', { name: /let these go/i }).click()
    await page.getByRole('button', { name: 'Find the best 2 together' }).waitFor()
    expect(faults).toEqual([])
    await page.context().close()
  },
  JOURNEY_MS,
)

test.skipIf(!hasBrowser)(
  'a tap on the map takes the party’s seats, one that leaves a seat alone is mended, and the way leads to the checkout',
  async () => {
    const eventId = await sell(HALL)
    const { page, faults } = await open(eventId, DESK)
    await page.getByRole('button', { name: 'Find the best 2 together' }).waitFor()
    const seat = await pointOf(page, eventId, 3)
    await page.mouse.click(seat.x, seat.y)
    expect(await basket(page).innerText()).toContain('row A, seat 4')
    expect(await basket(page).innerText()).toContain('row A, seat 5')
    // Seat 4 and 5 given up one by one and 2, 3 taken leave seat 1 alone.
    await basket(page)
      .getByRole('button', { name: /take out .*seat 4/i })
      .click()
    await basket(page)
      .getByRole('button', { name: /take out .*seat 5/i })
      .click()
    await page.getByRole('button', { name: 'One less' }).click()
    for (const n of [1, 2]) {
      const one = await pointOf(page, eventId, n)
      await page.mouse.click(one.x, one.y)
    }
    await basket(page)
      .getByText(/leaves Stalls, row A, seat 1 alone/)
      .waitFor()
    await accessible(page)
    await basket(page).getByRole('button', { name: 'Move by one' }).click()
    expect(await basket(page).innerText()).toContain('row A, seat 1')
    await page.getByRole('button', { name: 'Hold and check out' }).click()
    await page.waitForURL(/\/checkout\//)
    expect(faults).toEqual([])
    await page.context().close()
  },
  JOURNEY_MS,
)

test.skipIf(!hasBrowser)(
  'the list alone, by keyboard alone, on a phone, holds two seats',
  async () => {
    const { page, faults } = await open(await sell(HALL), PHONE)
    await page.getByRole('button', { name: /^Stalls/ }).focus()
    await page.keyboard.press('Enter')
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '')
    await page.waitForFunction(() => document.activeElement?.getAttribute('role') === 'gridcell')
    expect(await focused()).toBe('Row A, seat 1, free, €90.00')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowRight')
    await page.waitForFunction(() =>
      document.activeElement?.getAttribute('aria-label')?.startsWith('Row B, seat 2'),
    )
    await page.keyboard.type('c5')
    await page.waitForFunction(() =>
      document.activeElement?.getAttribute('aria-label')?.startsWith('Row C, seat 5'),
    )
    await page.keyboard.press('Enter')
    expect(await focused()).toBe('Row C, seat 5, chosen, €90.00')
    expect(await basket(page).innerText()).toContain('row C, seat 6')
    await accessible(page)
    // Controls lie beside the map, never over its seats.
    const over = await page.evaluate(() => {
      const canvas = document.querySelector('.frame canvas')!.getBoundingClientRect()
      const controls = [...document.querySelectorAll('.bar button, .legend, .finder button')]
      return controls
        .filter((control) => control.checkVisibility())
        .some((control) => {
          const box = control.getBoundingClientRect()
          return (
            box.bottom > canvas.top + 1 &&
            box.top < canvas.bottom - 1 &&
            box.right > canvas.left &&
            box.left < canvas.right
          )
        })
    })
    expect(over).toBe(false)
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360)
    for (let tab = 0; tab < 12; tab += 1) {
      await page.keyboard.press('Tab')
      if (/hold and check out/i.test(await page.evaluate(() => document.activeElement?.textContent ?? '')))
        break
    }
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/checkout\//)
    expect(faults).toEqual([])
    await page.context().close()
  },
  JOURNEY_MS,
)

test.skipIf(!hasBrowser)(
  'a seat lost to somebody faster is told kindly, and the nearest pair is one tap away',
  async () => {
    const eventId = await sell(HALL)
    const { page, faults } = await open(eventId, PHONE)
    await page.getByRole('button', { name: /^Stalls/ }).click()
    await page.getByRole('gridcell', { name: /^Row B, seat 5, free/ }).click()
    expect(await basket(page).innerText()).toContain('row B, seat 6')
    const [rival] = await buyers(1)
    await call('/booking', { seatIds: [`${eventId}:14`] }, rival!.accessToken)
    await basket(page)
      .getByText(/a moment faster/)
      .first()
      .waitFor()
    await accessible(page)
    await page.getByRole('button', { name: 'Take these' }).click()
    const chosen = await basket(page).getByRole('listitem').count()
    expect(chosen).toBe(2)
    expect(await basket(page).innerText()).toContain('180')

    // The same when the hold itself is what tells us: the offer is then held at once.
    await page.route('**/api/v1/booking', (route) =>
      route.fulfill({
        status: 409,
        json: {
          statusCode: 409,
          message: 'taken',
          error: 'Conflict',
          code: 'seat_taken',
          timestamp: '',
          path: '',
          requestId: '',
          details: { seatIds: (route.request().postDataJSON() as { seatIds: string[] }).seatIds },
        },
      }),
    )
    await page.getByRole('button', { name: 'Hold and check out' }).click()
    await page.getByRole('button', { name: 'Take these' }).waitFor()
    await page.unroute('**/api/v1/booking')
    await page.getByRole('button', { name: 'Take these' }).click()
    await page.waitForURL(/\/checkout\//)
    expect(faults).toEqual([])
    await page.context().close()
  },
  JOURNEY_MS,
)

test.skipIf(!hasBrowser)(
  'no seats, one seat, all seats gone and a server that refuses everything are each said, and the last is got over',
  async () => {
    // No such event can be published, but seats can be taken away from one later.
    const empty = await open(await sell(HALL), PHONE)
    await empty.page.route(/\/(map|availability)$/, async (route) => {
      const answer = await route.fetch()
      await route.fulfill({ response: answer, json: withoutSeats((await answer.json()) as { data: object }) })
    })
    await empty.page.reload()
    await empty.page.getByText('There are no seats yet').waitFor()
    await accessible(empty.page)
    await empty.page.context().close()

    const one = await sell([{ name: 'Box', tier: { name: 'Only', price: 100 }, rows: 1, seatsPerRow: 1 }])
    const { page, faults } = await open(one, DESK)
    await page.getByRole('button', { name: 'Find the best 2 together' }).click()
    await page.getByText(/not that many seats side by side/).waitFor()
    const [rival] = await buyers(1)
    await call('/booking', { seatIds: [`${one}:0`] }, rival!.accessToken)
    await page.getByText('Every seat is taken at the moment').waitFor()
    await accessible(page)

    await page.route('**/api/v1/event/**', (route) =>
      route.fulfill({
        status: 503,
        json: {
          statusCode: 503,
          message: 'no',
          error: '',
          code: 'overloaded',
          timestamp: '',
          path: '',
          requestId: '',
        },
      }),
    )
    await page.reload()
    await page.getByText(/Very many people are here/).waitFor()
    await accessible(page)
    await page.unroute('**/api/v1/event/**')
    await page.getByText('Every seat is taken at the moment').waitFor()
    expect(faults).toEqual([])
    await page.context().close()
  },
  JOURNEY_MS,
)
