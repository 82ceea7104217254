// A buyer's way through a draw: from the lobby to a place, checked in the browser; a proof that was tampered with is shown.
import { expect, test } from 'bun:test'
import type { Page } from 'playwright'
import type { DrawProofView } from '../../server/protocol/http.ts'
import { hasBrowser } from '../support/browser.ts'
import { accessFaults, startJourney } from '../support/journey.ts'

const JOURNEY_MS = 120_000
const MINUTE_MS = 60_000
const OTHERS = 24
const ROOM = {
  enabled: true,
  activeMax: 1,
  admitPerMinute: null,
  doorSeconds: 600,
  passSeconds: 600,
  graceSeconds: 300,
  challenge: 'off',
}
type Tampering = (proof: DrawProofView) => void
const flipped = (hex: string) => (hex.startsWith('0') ? '1' : '0') + hex.slice(1)
/** What a dishonest answer could change, and the words of the step that finds it. */
const TAMPERINGS: [Tampering, RegExp][] = [
  [({ draw }) => (draw.secret = flipped(draw.secret)), /fits the fingerprint/],
  [({ path }) => (path[0] = flipped(path[0]!)), /on the closed list/],
  [({ draw }) => (draw.root = flipped(draw.root)), /on the closed list/],
  [({ draw }) => (draw.seed = flipped(draw.seed)), /The draw follows from/],
  [({ draw }) => (draw.entrants += 1_000), /your place is/],
  [({ draw }) => (draw.seed = 'not a hash'), /No place can be computed/],
]
const journey = startJourney()

const inMinutes = (minutes: number) => new Date(Date.now() + minutes * MINUTE_MS).toISOString()
const untouched: Tampering = () => {}

async function api(method: string, path: string, token: string | null, body?: unknown) {
  const answer = await fetch(`${journey.run().url}/api/v1${path}`, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`)
  return ((await answer.json()) as { data: never }).data as Record<string, never>
}

/** An event whose lobby is open, with others in it, and the way to begin its sale. */
async function openLobby(): Promise<{ eventId: string; openSale: () => Promise<unknown> }> {
  const { accounts } = journey.run().demo!
  const { email, password } = accounts.find(({ role }) => role === 'ORGANIZER')!
  const { accessToken } = await api('POST', '/auth/login', null, { email, password })
  const event = await api('POST', '/event', accessToken!, {
    name: 'A drawn evening',
    location: 'Bergen',
    currency: 'EUR',
    timeZone: 'Europe/Oslo',
    startsAt: inMinutes(10_000),
    onSaleAt: inMinutes(30),
  })
  const eventId = event['id'] as unknown as string
  const tier = { name: 'Standard', price: 2_500 }
  await api('POST', `/event/${eventId}/seats`, accessToken!, {
    sections: [{ name: 'Stalls', tier, rows: 3, seatsPerRow: 10 }],
  })
  await api('PUT', `/event/${eventId}/room`, accessToken!, { ...ROOM, lobbyAt: inMinutes(-1) })
  await api('POST', `/event/${eventId}/publish`, accessToken!)
  const others = (await api('POST', '/dev/buyers', null, { count: OTHERS })) as unknown as {
    accessToken: string
  }[]
  for (const { accessToken: other } of others) await api('POST', `/event/${eventId}/room/join`, other)
  return { eventId, openSale: () => api('POST', `/event/${eventId}/room/open`, accessToken!) }
}

async function signIn(page: Page, next: string): Promise<void> {
  const { url, demo } = journey.run()
  const { email, password } = demo!.accounts.find(({ role }) => role === 'USER')!
  await page.goto(`${url}/login?next=${encodeURIComponent(next)}`)
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.locator('form button[type=submit]').click()
  await page.waitForURL(url + next)
}

const drawOf = (page: Page) => page.getByRole('region', { name: 'The draw' })
const check = (page: Page) => page.getByRole('button', { name: 'Check it yourself' }).click()

/** Waits in a lobby until its draw, as a person does; answers the place that the page then tells, from 1. */
async function waitForDraw(page: Page): Promise<number> {
  const { eventId, openSale } = await openLobby()
  await page.goto(`${journey.run().url}/events/${eventId}/room`)
  await page.getByRole('heading', { name: 'You are in the lobby' }).waitFor()
  await page.getByText('Coming earlier gives no advantage').waitFor()
  const { commitment } = await api('GET', `/event/${eventId}/room`, null)
  await page.getByText('How the draw is kept honest').click()
  await page.getByText(String(commitment)).waitFor()
  expect(await accessFaults(page)).toEqual([])
  await openSale()
  await drawOf(page)
    .or(page.getByRole('heading', { name: 'It is your turn' }))
    .waitFor()
  if (!(await drawOf(page).isVisible())) return 1
  return Number(/place in line is (\d+)/.exec(await drawOf(page).innerText())![1])
}

test.skipIf(!hasBrowser)(
  'a place that was drawn is checked in the browser, and a proof that was tampered with does not pass',
  async () => {
    const page = await journey.openPage({ viewport: { width: 360, height: 740 } })
    const faults: string[] = []
    page.on('pageerror', (fault) => faults.push(fault.message))
    await signIn(page, '/account')
    // The first of the draw is called at once, and has no line to look at.
    let place = await waitForDraw(page)
    while (place === 1) place = await waitForDraw(page)
    const drawn = drawOf(page)
    await check(page)
    await drawn.getByRole('heading', { name: 'Your place is right' }).waitFor()
    await drawn.getByText(`your place is ${place} of ${OTHERS + 1}`).waitFor()
    expect(await drawn.getByText('✗').count()).toBe(0)
    expect(await accessFaults(page)).toEqual([])

    let tamper = untouched
    await page.route(/\/room\/draw\/proof/, async (route) => {
      const response = await route.fetch()
      const answer = (await response.json()) as { data: DrawProofView }
      tamper(answer.data)
      await route.fulfill({ response, json: answer })
    })
    for (const [tampering, found] of TAMPERINGS) {
      tamper = tampering
      await check(page)
      await drawn.getByRole('alert').getByRole('heading', { name: 'This does not fit' }).waitFor()
      const wrong = drawn.getByRole('listitem').filter({ hasText: '✗' }).filter({ hasText: found })
      await wrong.first().waitFor()
      expect(await drawn.getByText('Your place is right').count()).toBe(0)
    }
    expect(await accessFaults(page)).toEqual([])
    tamper = untouched
    await check(page)
    await drawn.getByRole('heading', { name: 'Your place is right' }).waitFor()
    expect(faults).toEqual([])
    await page.context().close()
  },
  JOURNEY_MS,
)
