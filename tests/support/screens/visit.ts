// Owns one visit to one screen: in which language it is seen, by whom, and what must be on it.
import type { Page } from 'playwright'
import type { Language } from '../../../server/protocol/codes.ts'
import type { Journey } from '../journey.ts'
import { visitorOf } from '../journey-room.ts'
import type { Stage } from './stage.ts'

export const PHONE = { width: 360, height: 740 }
/** One of the window's messages, in any language. */
export type Message = (inputs?: object, options?: { locale?: Language }) => string

export interface Visit {
  stage: Stage
  url: string
  say(message: Message): string
  /** A device of nobody, of an account by its token, or of a new buyer. */
  page(who?: string | 'visitor'): Promise<Page>
  /** Goes to a path and waits for this message to stand there. */
  see(page: Page, path: string, message: Message): Promise<Page>
  /** Waits for this message on the page as it is. */
  sees(page: Page, message: Message): Promise<Page>
  press(page: Page, message: Message): Promise<void>
  /** Goes to a path and waits until nothing of it is being fetched any more. */
  seeAll(page: Page, path: string): Promise<Page>
}

/** A screen in one of its states, ready to be looked at. */
export type Screen = (visit: Visit) => Promise<Page>
/** By the router's pattern and the state's name. */
export type Screens = Record<string, Record<string, Screen>>

/** Visits in this language, on one device for all of them: what it has fetched of the window it keeps. */
export async function startVisits(journey: Journey, stage: Stage, language: Language): Promise<Visit> {
  const { url } = journey.run()
  const viewport = PHONE
  // The answers of some visits are made up, which a service worker would not let happen.
  const device = await journey.openDevice({ locale: language, viewport, serviceWorkers: 'block' })
  const say = (message: Message) => message({}, { locale: language })
  const sees = async (page: Page, message: Message) => {
    await page.getByText(say(message)).filter({ visible: true }).first().waitFor()
    return page
  }
  return {
    stage,
    url,
    say,
    async page(who) {
      const token = who === 'visitor' ? null : (who ?? (await visitorOf(url)).token)
      await device.clearCookies()
      if (token !== null) await device.addCookies([{ name: 'accessToken', value: token, url }])
      const page = await device.newPage()
      await page.addInitScript((mine) => {
        if (self.origin === 'null' || sessionStorage.getItem('visit') === mine) return
        localStorage.clear()
        sessionStorage.setItem('visit', mine)
        if (mine !== '') localStorage.setItem('onsale:signed-in', '1')
      }, token ?? '')
      await page.setViewportSize(PHONE)
      return page
    },
    async see(page, path, message) {
      await page.goto(url + path)
      return sees(page, message)
    },
    sees,
    async seeAll(page, path) {
      await page.goto(url + path)
      await page.locator('main h1').first().waitFor()
      await page.waitForFunction(() => document.querySelector('.loading') === null)
      return page
    },
    press: (page, message) =>
      page
        .getByRole('button', { name: say(message) })
        .filter({ visible: true })
        .first()
        .click(),
  }
}
