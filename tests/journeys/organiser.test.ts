// An organiser's whole way in a real browser: from signing in to a published event whose room is paused from the desk.
import { expect, test } from 'bun:test'
import type { Page } from 'playwright'
import { hasBrowser } from '../support/browser.ts'
import { accessFaults, startJourney } from '../support/journey.ts'

const JOURNEY_MS = 120_000
const DAY_MS = 86_400_000
/** From pressing to every screen. */
const NOTICE_MS = 2_000
const journey = startJourney()

async function expectReadable(page: Page): Promise<void> {
  expect(await accessFaults(page)).toEqual([])
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0)
}

async function signIn(page: Page, role: string, next: string): Promise<void> {
  const run = journey.run()
  const account = run.demo!.accounts.find((one) => one.role === role)!
  await page.goto(`${run.url}/login?next=${encodeURIComponent(next)}`)
  await page.getByLabel('Email').fill(account.email)
  await page.getByLabel('Password').fill(account.password)
  await page.locator('form button[type=submit]').click()
  await page.waitForURL(run.url + next)
}

const wall = (ms: number) => new Date(ms).toISOString().slice(0, 16)

/** Writes the first two steps: mistakes are said at their fields, and no way back or forward loses anything. */
async function createDraft(page: Page, name: string): Promise<string> {
  const on = page.getByRole('button', { name: 'Go on: When and how it sells' })
  await page.getByRole('link', { name: 'Create an event' }).click()
  await page.getByLabel('Name').fill('W'.repeat(300))
  await on.click()
  await page.getByText('At most 200 characters; these are 300.').waitFor()
  await page.getByText('This is needed.').waitFor()
  await expectReadable(page)
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Place').fill('Old Town Hall, Bergen')
  await page.reload()
  expect(await page.getByLabel('Place').inputValue()).toBe('Old Town Hall, Bergen')
  await on.click()
  await page.waitForURL(/\/organise\/new\/when$/)
  const past = wall(Date.now() - DAY_MS)
  await page.getByLabel('Starts').fill(past)
  await page.getByLabel('Time zone').selectOption('Europe/Oslo')
  const save = page.getByRole('button', { name: 'Save the draft and go on' })
  await save.click()
  await page.getByText('This has passed already').waitFor()
  await expectReadable(page)
  await page.goBack()
  expect(await page.getByLabel('Name').inputValue()).toBe(name)
  await page.goForward()
  expect(await page.getByLabel('Starts').inputValue()).toBe(past)
  await page.getByLabel('Starts').fill(wall(Date.now() + 30 * DAY_MS))
  await save.click()
  await page.waitForURL(/\/organise\/[0-9a-f-]{36}\/seats$/)
  return new URL(page.url()).pathname.split('/')[2]!
}

/** Two sections, one of them corrected, a third put in and taken out again. */
async function makeSeats(page: Page): Promise<void> {
  const form = page.getByRole('form')
  const put = page.getByRole('button', { name: 'Put it into the hall' })
  await page.getByRole('button', { name: 'Add rows of seats' }).click()
  const atHand = form.filter({ has: put })
  await atHand.getByRole('textbox', { name: 'Name' }).fill('Stalls')
  await atHand.getByLabel('Price category').fill('Standard')
  await atHand.getByLabel('Price in EUR').fill('45.50')
  await atHand.getByLabel('Rows', { exact: true }).fill('0')
  await atHand.getByLabel('Shape').selectOption('arc')
  await put.click()
  await page.getByText('A whole number from 1 to 1,000.').waitFor()
  await atHand.getByLabel('Rows', { exact: true }).fill('12')
  // The hall is drawn before it is made, and a reload loses none of it.
  await page.getByRole('img', { name: /Stalls: 240 seats/ }).waitFor()
  await page.reload()
  await page.getByRole('img', { name: /Stalls: 240 seats/ }).waitFor()
  await expectReadable(page)
  await put.click()
  await page.getByText('Stalls: 240 seats are made.').waitFor()

  await page.getByRole('button', { name: 'Add an area without numbers' }).click()
  await atHand.getByRole('textbox', { name: 'Name' }).fill('Stalls')
  await atHand.getByLabel('Price category').fill('Floor')
  await atHand.getByLabel('Price in EUR').fill('20')
  await put.click()
  await page.getByText('Another section has this name already.').waitFor()
  await atHand.getByRole('textbox', { name: 'Name' }).fill('Standing')
  await put.click()
  await page.getByText('Standing: 100 seats are made.').waitFor()

  await page.getByRole('button', { name: 'Change Stalls' }).click()
  await page.getByLabel('Rows', { exact: true }).fill('10')
  await expectReadable(page)
  await page.getByRole('button', { name: 'Save the change' }).click()
  await page.getByText('Stalls is changed.').waitFor()
  await page.getByRole('button', { name: 'Copy Standing' }).click()
  await put.click()
  await page.getByRole('button', { name: 'Take out Standing (copy)…' }).click()
  await page.getByRole('button', { name: 'Yes, take it out' }).click()
  await page.getByText('Standing (copy) is taken out.').waitFor()
  await page.getByLabel('Floor, in EUR').fill('25')
  await page.getByRole('button', { name: 'Save the price of Floor' }).click()
  await page.getByText('Floor costs €25.00 now.').waitFor()
  await page.getByRole('img', { name: /Stalls: 200 seats; Standing: 100 seats/ }).waitFor()
  await expectReadable(page)
}

const goToStep = (page: Page, step: string) =>
  page.getByRole('navigation', { name: 'Steps to publishing' }).getByRole('link', { name: step }).click()

async function goTo(page: Page, part: string): Promise<void> {
  await page
    .getByRole('navigation', { name: 'Parts of this event' })
    .getByRole('link', { name: part })
    .click()
}

async function takeRowOffSale(page: Page): Promise<void> {
  await goTo(page, 'Off sale')
  await page.getByLabel('Row', { exact: true }).selectOption({ label: 'C' })
  await page.getByRole('button', { name: 'Mark the row' }).click()
  await page.getByLabel('Reason').fill('Camera stand')
  await page.getByRole('button', { name: 'Take 20 off sale' }).click()
  await page.getByText('20 seats taken off sale.').waitFor()
  await page.getByRole('button', { name: 'Seat 1, off sale' }).click()
  await page.getByRole('button', { name: 'Put 1 back' }).click()
  await page.getByText('1 seat put back on sale.').waitFor()
  await expectReadable(page)
}

for (const screen of [
  { name: 'on a desk', viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  { name: 'on a phone in the dark', viewport: { width: 360, height: 740 }, colorScheme: 'dark' },
] as const)
  test.skipIf(!hasBrowser)(
    `an event is created, seated, published and paused, ${screen.name}`,
    async () => {
      const { viewport, colorScheme } = screen
      const page = await journey.openPage({ viewport, colorScheme })
      const faults: string[] = []
      page.on('pageerror', (fault) => faults.push(fault.message))
      const name = `Winter Concert ${Bun.randomUUIDv7()}`

      await signIn(page, 'ORGANIZER', '/organise')
      await page.getByRole('heading', { level: 2 }).first().waitFor()
      await expectReadable(page)
      const eventId = await createDraft(page, name)
      await goToStep(page, 'Check and publish')
      await page.getByText('There are no seats yet.').waitFor()
      expect(await page.getByRole('button', { name: 'Publish the event' }).isDisabled()).toBe(true)
      await page.getByText('No time for the sale').waitFor()
      await expectReadable(page)
      await page.getByRole('main').getByRole('link', { name: 'Seats', exact: true }).click()
      await makeSeats(page)

      await goTo(page, 'Waiting room')
      await page.getByLabel('Let buyers in by turn').check()
      await page.getByLabel('At the seats at the same time').fill('50')
      await page.getByRole('button', { name: 'Save the settings' }).click()
      await page.getByText('Saved; in force within a second.').waitFor()
      await expectReadable(page)

      await goToStep(page, 'Check and publish')
      await page.getByText('Buyers come in by turn, 50 at a time.').waitFor()
      await page.getByRole('button', { name: 'Publish the event' }).click()
      await page.getByRole('link', { name: 'Watch the sale' }).waitFor()
      await expectReadable(page)
      // Whoever is not signed in finds it too.
      const list = await journey.openPage()
      await list.goto(journey.run().url)
      await list.getByRole('link', { name }).waitFor()
      await list.context().close()

      await takeRowOffSale(page)
      await goTo(page, 'Live desk')
      await page.getByText('The room is open').waitFor()
      await page.getByRole('button', { name: 'Pause' }).click()
      await page.getByText('Paused: nobody is let in').waitFor()
      await page.getByText('181 of 200').waitFor()
      await expectReadable(page)
      const answer = await fetch(`${journey.run().url}/api/v1/event/${eventId}/room`)
      expect(await answer.json()).toMatchObject({ data: { enabled: true, phase: 'paused' } })

      await goTo(page, 'Overview')
      await page.getByRole('button', { name: 'Cancel the event…' }).click()
      const sure = page.getByRole('button', { name: 'Cancel it and refund everyone' })
      expect(await sure.isDisabled()).toBe(true)
      await page.getByLabel(/^Type the event/).fill(name)
      await expectReadable(page)
      await sure.click()
      await page.getByText('This event is cancelled').waitFor()
      expect(faults).toEqual([])
      await page.context().close()
    },
    JOURNEY_MS,
  )

for (const screen of [
  { name: 'on a desk in the dark', viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  { name: 'on a phone', viewport: { width: 360, height: 740 }, colorScheme: 'light' },
] as const)
  test.skipIf(!hasBrowser)(
    `a sale is watched: why the line moves, who is invited, and what everyone is told, ${screen.name}`,
    async () => {
      const run = journey.run()
      const { viewport, colorScheme } = screen
      const eventId = run.demo!.eventId
      const page = await journey.openPage({ viewport, colorScheme })
      const faults: string[] = []
      page.on('pageerror', (fault) => faults.push(fault.message))
      await signIn(page, 'ORGANIZER', `/organise/${eventId}/room`)

      await page.getByLabel('Percent of admissions for guests').fill('10')
      await page.getByRole('button', { name: 'Save the share' }).click()
      await page.getByText('told to everybody in the room').waitFor()
      await page.getByLabel('Addresses for the list').fill('Guest@example.org, second@example.org')
      await page.getByRole('button', { name: 'Put on the list' }).click()
      await page.getByText(/^2 addresses on it$/).waitFor()
      await page.getByText('Show the list').click()
      await page.getByRole('button', { name: 'Take off guest@example.org' }).click()
      await page.getByRole('button', { name: 'Take off second@example.org' }).click()
      await page.getByText(/^0 addresses on it$/).waitFor()
      await page.getByLabel('Invitations to make').fill('1')
      await page.getByRole('button', { name: 'Make invitations' }).click()
      const link = await page.getByLabel('The links, one a line').inputValue()
      await expectReadable(page)

      // The guest opens it before signing in: it waits in the browser, and is in no address.
      const guest = await journey.openPage({ viewport, colorScheme })
      const asked: string[] = []
      guest.on('request', (request) => asked.push(request.url()))
      await guest.goto(link)
      await guest.getByRole('link', { name: 'Sign in' }).last().click()
      const buyer = run.demo!.accounts.find(({ role }) => role === 'USER')!
      await guest.getByLabel('Email').fill(buyer.email)
      await guest.getByLabel('Password').fill(buyer.password)
      await guest.locator('form button[type=submit]').click()
      await guest.getByRole('button', { name: 'Use the invitation' }).click()
      await guest.getByText('You enter with priority').waitFor()
      await expectReadable(guest)
      const secret = new URL(link).hash.slice(1)
      expect(asked.filter((address) => address.split('#')[0]!.includes(secret))).toEqual([])

      await goTo(page, 'Live desk')
      await page.getByText('What moves the line').waitFor()
      await page.getByRole('button', { name: 'Pause' }).click()
      await page.getByText('Paused: nobody is let in; places, turns and time wait.').last().waitFor()
      await guest.getByRole('link', { name: 'Go to the line' }).click()
      await guest
        .getByText(
          'Of every 100 people let in, up to 10 may be invited guests of the organiser; you are one of them.',
        )
        .waitFor()
      await page.getByText('“Percent of admissions for guests”').first().waitFor()
      await page.getByText('Say something to everyone in the room').click()
      await page.getByLabel('Your words').fill('The doors open at nine.')
      await page.getByRole('button', { name: 'Tell everyone' }).click()
      const told = Date.now()
      await guest.getByRole('heading', { name: 'To everyone' }).waitFor()
      expect(Date.now() - told).toBeLessThan(NOTICE_MS)
      await guest.getByText('The doors open at nine.').waitFor()
      await guest.getByRole('link', { name: 'Onsale' }).first().click()
      await guest.getByText('To everyone: The doors open at nine.').waitFor()
      await expectReadable(guest)
      await expectReadable(page)
      await page.getByRole('button', { name: 'Resume' }).click()
      await page.getByText('Went on after the pause.').waitFor()

      const download = page.waitForEvent('download')
      await page.getByRole('button', { name: 'Download line.csv' }).click()
      const file = await Bun.file(await (await download).path()).text()
      expect(file.split('\r\n')[0]).toBe(
        'number,place,joined_at,called_at,admitted_at,ended_at,outcome,priority,deferred',
      )
      expect(faults).toEqual([])
      // The next screen's guest is the same person, and must find a line and not a turn.
      await guest.evaluate((id) => fetch(`/api/v1/event/${id}/room/leave`, { method: 'POST' }), eventId)
      await guest.context().close()
      await page.context().close()
    },
    JOURNEY_MS,
  )

test.skipIf(!hasBrowser)(
  'an administrator gives a role, and cannot take the last administration away',
  async () => {
    const page = await journey.openPage({ viewport: { width: 360, height: 740 } })
    await signIn(page, 'ADMIN', '/admin')
    await page.getByLabel('Name or address').fill('buyer@onsale.test')
    await page.getByRole('button', { name: 'Find' }).click()
    await page.getByText('Bea Buyer', { exact: true }).waitFor()
    await page.getByRole('checkbox', { name: 'ORGANIZER' }).check()
    await page.getByRole('button', { name: 'Save the roles of Bea Buyer' }).click()
    await page.getByText('Saved; in force at once.').waitFor()
    await expectReadable(page)

    await page.getByRole('link', { name: 'Roles', exact: true }).click()
    await page.getByLabel('Role', { exact: true }).selectOption({ label: 'ADMIN: May do everything' })
    const manage = page.getByRole('checkbox', { name: 'See accounts and give them roles' })
    // Until it is listed what the role may do, no box is ticked, and there would be nothing to take away.
    await manage.and(page.getByRole('checkbox', { checked: true, disabled: false })).waitFor()
    await manage.uncheck()
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Nobody would be left').waitFor()
    await expectReadable(page)

    await page.context().clearCookies()
    await signIn(page, 'USER', '/organise')
    await page.getByRole('link', { name: 'Create an event' }).waitFor()
    await page.context().close()
  },
  JOURNEY_MS,
)
