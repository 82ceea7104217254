// A person who forgot the password gets in again by mail, and the link works once.
import { test } from 'bun:test'
import { hasBrowser } from '../support/browser.ts'
import { startJourney } from '../support/journey.ts'

const JOURNEY_MS = 60_000
const PASSWORD = 'another long secret'
const journey = startJourney()
const isReset = (link: string) => link.includes('/reset?')

test.skipIf(!hasBrowser)(
  'a forgotten password is replaced by mail, and the link works once',
  async () => {
    const page = await journey.openPage()
    const run = journey.run()
    const { email } = run.demo!.accounts.find(({ role }) => role === 'USER')!
    await page.goto(`${run.url}/login`)
    await page.getByRole('link', { name: 'Forgotten your password?' }).click()
    await page.getByLabel('Email').fill(email)
    await page.getByRole('button', { name: 'Send the link' }).click()
    await page.getByText('is on its way').waitFor()

    const { links } = await journey.mailTo(email, (mail) => mail.links.some(isReset))
    const link = links.find(isReset)!
    const choose = async () => {
      await page.goto(link)
      await page.getByLabel('New password').fill(PASSWORD)
      await page.getByRole('button', { name: 'Change the password' }).click()
    }
    await choose()
    await page.getByRole('heading', { name: 'Your password is changed' }).waitFor()
    await page.locator('main').getByRole('link', { name: 'Sign in' }).click()
    await page.getByLabel('Email').fill(email)
    await page.getByLabel('Password').fill(PASSWORD)
    await page.locator('form button[type=submit]').click()
    await page.waitForURL(`${run.url}/`)

    await choose()
    await page.getByRole('heading', { name: 'This link does not work' }).waitFor()
  },
  JOURNEY_MS,
)
