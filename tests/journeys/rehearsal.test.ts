// An organiser's way from an empty account to a sold-out sale with a made-up crowd, past every screen of the desk, under a name nobody should have chosen.
import { expect, test } from 'bun:test'
import type { Page } from 'playwright'
import { LIMITS } from '../../server/protocol/codes.ts'
import { hasBrowser } from '../support/browser.ts'
import { accessFaults, startJourney } from '../support/journey.ts'

const JOURNEY_MS = 240_000
const SOLD_OUT_MS = 90_000
const DAY_MS = 86_400_000
const PASSWORD = 'a password long enough'
const EMAIL = 'new-organiser@example.org'
const CROWD = '60'
const HOSTILE = `"><img src=x onerror="globalThis.broken=1"> مهرجان ${'W'.repeat(LIMITS.nameMax)}`.slice(
  0,
  LIMITS.nameMax,
)
const journey = startJourney()

/** Readable for everybody, no wider than the screen, and nothing of the organiser's words was run. */
async function expectSound(page: Page): Promise<void> {
  const where = new URL(page.url()).pathname
  expect([where, await accessFaults(page)]).toEqual([where, []])
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  expect([where, wide]).toEqual([where, 0])
  expect(await page.evaluate(() => 'broken' in globalThis)).toBe(false)
}

async function ask<T>(method: string, path: string, token: string | null, body?: unknown): Promise<T> {
  const answer = await fetch(`${journey.run().url}/api/v1${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      'x-client': 'api',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  return ((await answer.json()) as { data: T }).data
}

/** A verified account that an administrator has made an organiser. */
async function newOrganiser(): Promise<void> {
  await ask('POST', '/auth/register', null, { email: EMAIL, password: PASSWORD, fullName: HOSTILE })
  const mail = await journey.mailTo(EMAIL, ({ links }) => links.some((link) => link.includes('verify')))
  const link = new URL(mail.links.find((address) => address.includes('verify'))!)
  const token = new URLSearchParams(link.hash.slice(1) || link.search)
  await ask('POST', `/auth/verify?${token}`, null)
  const { email, password } = journey.run().demo!.accounts.find(({ role }) => role === 'ADMIN')!
  const { accessToken } = await ask<{ accessToken: string }>('POST', '/auth/login', null, { email, password })
  const roles = await ask<{ items: { id: string; name: string }[] }>('GET', '/auth/admin/roles', accessToken)
  const users = await ask<{ items: { id: string }[] }>('GET', `/auth/admin/users?query=${EMAIL}`, accessToken)
  const roleIds = roles.items.filter(({ name }) => name === 'ORGANIZER').map(({ id }) => id)
  await ask('PUT', `/auth/admin/users/${users.items[0]!.id}/roles`, accessToken, { roleIds })
}

async function signIn(page: Page, account: { email: string; password: string }, next: string) {
  await page.goto(`${journey.run().url}/login?next=${encodeURIComponent(next)}`)
  await page.getByLabel('Email').fill(account.email)
  await page.getByLabel('Password').fill(account.password)
  await page.locator('form button[type=submit]').click()
  await page.waitForURL(journey.run().url + next)
}

/** By the guided form: a curved section and an area without numbers, forty places, on sale in a moment. */
async function makeEvent(page: Page): Promise<string> {
  await page.getByRole('link', { name: 'Create an event' }).click()
  await page.getByLabel('Name').fill(HOSTILE)
  await page.getByLabel('Place').fill(HOSTILE)
  await expectSound(page)
  await page.getByRole('button', { name: 'Go on: When and how it sells' }).click()
  await page.getByLabel('Starts').fill(new Date(Date.now() + 30 * DAY_MS).toISOString().slice(0, 16))
  await expectSound(page)
  await page.getByRole('button', { name: 'Save the draft and go on' }).click()
  await page.waitForURL(/[0-9a-f]\/seats$/)
  await page.getByRole('button', { name: 'Add rows of seats' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill(HOSTILE)
  await page.getByLabel('Price category').fill('Standard')
  await page.getByLabel('Price in EUR').fill('20')
  await page.getByLabel('Rows', { exact: true }).fill('4')
  await page.getByLabel('Seats in a row').fill('8')
  await page.getByLabel('Shape').selectOption('arc')
  await page.getByRole('button', { name: 'Put it into the hall' }).click()
  await page.getByText('32 seats are made').waitFor()
  await page.getByRole('button', { name: 'Add an area without numbers' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill('Standing')
  await page.getByLabel('Places', { exact: true }).fill('8')
  await page.getByRole('button', { name: 'Put it into the hall' }).click()
  await page.getByText('Standing: 8 seats are made').waitFor()
  await expectSound(page)
  return new URL(page.url()).pathname.split('/')[2]!
}

/** Past the checklist to a published event whose sale is open. */
async function publishAndOpen(page: Page, at: string): Promise<void> {
  await page.goto(at)
  await page.getByText('No time for the sale').waitFor()
  await expectSound(page)
  await page.getByRole('button', { name: 'Publish the event' }).click()
  await page.getByText('It is published').waitFor()
  await expectSound(page)
  await page.getByRole('link', { name: 'Watch the sale' }).click()
  await page.getByText('The room is open').waitFor()
}

test.skipIf(!hasBrowser)(
  'from an empty account to a sold-out sale with a made-up crowd; the event itself keeps every seat',
  async () => {
    await newOrganiser()
    const page = await journey.openPage({ viewport: { width: 360, height: 740 } })
    const faults: string[] = []
    page.on('pageerror', (fault) => faults.push(fault.message))
    await signIn(page, { email: EMAIL, password: PASSWORD }, '/organise')
    await page.getByText('You have no events yet.').waitFor()
    const eventId = await makeEvent(page)
    const at = `${journey.run().url}/organise/${eventId}`
    for (const part of ['', '/details', '/when', '/seats', '/block', '/room', '/bookings', '/desk']) {
      await page.goto(at + part)
      await page.getByRole('navigation', { name: 'Parts of this event' }).waitFor()
      await page.waitForLoadState('networkidle')
      await expectSound(page)
    }
    await page.goto(`${at}/room`)
    await page.getByLabel('Let buyers in by turn').check()
    await page.getByLabel('Proof of work at the door').selectOption('auto')
    await page.getByRole('button', { name: 'Save the settings' }).click()
    await page.getByText('Saved; in force within a second.').waitFor()

    await publishAndOpen(page, at)
    await page.getByLabel('How many buyers').fill(CROWD)
    await page.getByRole('button', { name: `Rehearse with ${CROWD} buyers` }).click()
    await page.waitForURL((url) => url.pathname.endsWith('/desk') && !url.pathname.includes(eventId))
    await page.setViewportSize({ width: 1_280, height: 900 })
    await page.getByText('This is a copy, made for a rehearsal.').waitFor()
    await page.getByText('The room is open').waitFor()
    await page.getByLabel('At the seats at the same time', { exact: true }).fill('30')
    await page.getByRole('button', { name: 'Put in force' }).click()
    await page.getByText(/In force since/).waitFor()
    await page.locator('.u-wrap').first().waitFor()
    await expectSound(page)
    await page
      .getByText('Sold out: nobody is let in until a seat comes back.')
      .first()
      .waitFor({ timeout: SOLD_OUT_MS })
    await expectSound(page)
    await page.goto(page.url().replace(/desk$/, 'bookings'))
    await page.getByRole('button', { name: 'Refund…' }).first().click()
    await page.getByLabel('Reason').fill('Fell ill')
    await page.getByRole('button', { name: /^Yes, give back/ }).click()
    await page.getByText('The money is on its way back.').waitFor()
    await expectSound(page)
    const { seats } = await ask<{ seats: object }>('GET', `/event/${eventId}/stats`, await tokenOf())
    expect(seats).toMatchObject({ total: 40, available: 40 })
    await page.goto(`${journey.run().url}/organise`)
    await page.getByRole('heading', { level: 2 }).first().waitFor()
    await expectSound(page)
    expect(faults).toEqual([])
    await page.context().close()
  },
  JOURNEY_MS,
)

const tokenOf = async () =>
  (
    await ask<{ accessToken: string }>('POST', '/auth/login', null, {
      email: EMAIL,
      password: PASSWORD,
    })
  ).accessToken

test.skipIf(!hasBrowser)(
  'an operator reads the last audit and what was given up',
  async () => {
    const page = await journey.openPage({ viewport: { width: 360, height: 740 }, colorScheme: 'dark' })
    const admin = journey.run().demo!.accounts.find(({ role }) => role === 'ADMIN')!
    await signIn(page, admin, '/admin/operation')
    await page.getByText('Nothing was given up.').waitFor()
    await expectSound(page)
    for (const part of ['/admin', '/admin/roles']) {
      await page.goto(journey.run().url + part)
      await page.waitForLoadState('networkidle')
      await expectSound(page)
    }
    await page.context().close()
  },
  JOURNEY_MS,
)
