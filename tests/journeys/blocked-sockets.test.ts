// A buyer whose network lets no WebSocket through: the same line over HTTP, back on the socket when it opens, a turn put
// off once, a proof of work nobody notices, and a call that reaches a hidden tab.
import { expect, test } from 'bun:test'
import type { Page } from 'playwright'
import { hasBrowser } from '../support/browser.ts'
import { accessFaults, startJourney } from '../support/journey.ts'
import { eventually } from '../support/socket-client.ts'
import { openSocketGate } from '../support/socket-gate.ts'

const JOURNEY_MS = 150_000
const STEP_MS = 30_000
/** About as long as a pause between two tries may be. */
const PAUSE_MS = 10_000
const ROOM = {
  enabled: true,
  lobbyAt: null,
  activeMax: 1,
  admitPerMinute: null,
  doorSeconds: 60,
  passSeconds: 600,
  graceSeconds: 300,
  challenge: 'always',
}
const journey = startJourney()

async function signIn(page: Page, url: string, next: string): Promise<void> {
  const { email, password } = journey.run().demo!.accounts.find(({ role }) => role === 'USER')!
  await page.goto(`${url}/login?next=${encodeURIComponent(next)}`)
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.locator('form button[type=submit]').click()
  await page.waitForURL(url + next)
}

async function api(method: string, path: string, token: string | null, body?: unknown) {
  const answer = await fetch(`${journey.run().url}/api/v1${path}`, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return ((await answer.json()) as { data: never }).data as Record<string, never>
}

/** Hides the page as another tab in front of it does. */
const hide = (page: Page, hidden: boolean) =>
  page.evaluate((wanted) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => wanted })
    document.dispatchEvent(new Event('visibilitychange'))
  }, hidden)

test.skipIf(!hasBrowser)(
  'a blocked socket costs neither the place nor the turn',
  async () => {
    const { demo } = journey.run()
    const eventId = demo!.eventId
    const organizer = demo!.accounts.find(({ role }) => role === 'ORGANIZER')!
    const { accessToken } = await api('POST', '/auth/login', null, {
      email: organizer.email,
      password: organizer.password,
    })
    await api('PUT', `/event/${eventId}/room`, accessToken!, { ...ROOM, challenge: 'off' })
    const [first] = (await api('POST', '/dev/buyers', null, { count: 1 })) as unknown as {
      accessToken: string
    }[]
    const asFirst = (method: string, path: string) =>
      api(method, `/event/${eventId}/room/${path}`, first!.accessToken)
    await asFirst('POST', 'join')
    await eventually('the first is called', async () => (await asFirst('GET', 'me'))['state'] === 'called')
    await asFirst('POST', 'claim')
    await api('PUT', `/event/${eventId}/room`, accessToken!, ROOM)

    const gate = await openSocketGate(journey.run().url)
    const page = await journey.openPage()
    await page.clock.install()
    const faults: string[] = []
    page.on('pageerror', (fault) => faults.push(fault.message))
    const room = `/events/${eventId}/room`
    await signIn(page, gate.url, room)
    await page.getByText('Connected another way').waitFor()
    await page.getByRole('heading', { name: 'You are next' }).waitFor()
    const number = await page.locator('dd.number').first().innerText()
    expect(await accessFaults(page)).toEqual([])

    gate.shut = false
    await page.getByText('Connected another way').waitFor({ state: 'detached', timeout: STEP_MS })
    expect(await page.locator('dd.number').first().innerText()).toBe(number)
    gate.shut = true
    // One that stood is missed for longer before it counts as blocked: a patience nobody has to sit out here.
    const goesOn = async () => {
      await page.clock.fastForward(PAUSE_MS)
      return page.getByText('Connected another way').isVisible()
    }
    await eventually('another way is taken again', goesOn, STEP_MS)
    expect(await page.locator('dd.number').first().innerText()).toBe(number)

    await hide(page, true)
    await asFirst('POST', 'leave')
    await page.waitForFunction(() => document.title.includes('Your turn'))
    expect(new URL(page.url()).pathname).toBe(room)
    await hide(page, false)
    expect(await accessFaults(page)).toEqual([])
    await page.getByRole('button', { name: 'I need five minutes' }).click()
    await page.getByRole('button', { name: 'Step back' }).click()
    await page.getByText('cannot be put off again').waitFor()
    await page.getByRole('button', { name: /come in/i }).click()
    await page.waitForURL(`${gate.url}/events/${eventId}/seats`)
    expect(faults).toEqual([])
    await page.context().close()
    gate.close()
  },
  JOURNEY_MS,
)
