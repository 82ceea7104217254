// Owns what every journey in a browser needs: one running stack, one browser, the mail that comes, and axe.
import AxeBuilder from '@axe-core/playwright'
import { afterAll, beforeAll } from 'bun:test'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright'
import type { RunFile } from '../../dev/up/run-file.ts'
import { hasBrowser, launchBrowser } from './browser.ts'
import { startWholeStack, type WholeStack } from './whole-stack.ts'

const START_MS = 120_000
/** One step of a person on a machine that is busy with other tests. */
const STEP_MS = 20_000
const POLL_MS = 200
/** Longer than any fade; what moves for ever is not waited for. */
const FADES_MAX_MS = 1_000
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

export interface Mail {
  subject: string
  text: string
  links: string[]
}

export interface Journey {
  run(): RunFile
  /** Another device: its pages share cookies, storage and what is kept for being offline. */
  openDevice(options?: BrowserContextOptions): Promise<BrowserContext>
  /** A page on a device of its own. */
  openPage(options?: BrowserContextOptions): Promise<Page>
  /** The first mail to an address that `isIt` accepts. */
  mailTo(address: string, isIt: (mail: Mail) => boolean): Promise<Mail>
}

/** Call at the top of a file: starts everything before its tests and ends it after them. */
export function startJourney(): Journey {
  let stack: WholeStack
  let browser: Browser
  beforeAll(async () => {
    if (!hasBrowser) return
    stack = await startWholeStack()
    browser = await launchBrowser()
  }, START_MS)
  afterAll(async () => {
    await browser?.close()
    await stack?.stop()
  }, START_MS)

  const openDevice = async (options: BrowserContextOptions = {}) => {
    const device = await browser.newContext(options)
    device.setDefaultTimeout(STEP_MS)
    return device
  }
  return {
    run: () => stack.run,
    openDevice,
    openPage: async (options) => (await openDevice(options)).newPage(),
    async mailTo(address, isIt) {
      const deadline = Date.now() + STEP_MS
      for (;;) {
        const answer = await fetch(`${stack.run.url}/api/v1/dev/mailbox?to=${encodeURIComponent(address)}`)
        const found = ((await answer.json()) as { data: Mail[] }).data.find(isIt)
        if (found) return found
        if (Date.now() > deadline) throw new Error(`no such mail within ${STEP_MS} ms`)
        await Bun.sleep(POLL_MS)
      }
    },
  }
}

/**
 * What axe finds against WCAG 2.2 AA, or against these rules alone, on the page once nothing fades any more: a colour on its
 * way to another is neither.
 */
export async function accessFaults(page: Page, rules?: string[]): Promise<string[]> {
  await page.evaluate(async (ms) => {
    const ended = document.getAnimations().map(({ finished }) => finished.catch(() => undefined))
    await Promise.race([Promise.all(ended), new Promise((resolve) => setTimeout(resolve, ms))])
  }, FADES_MAX_MS)
  // There are no frames in the window: one run in the page itself says all.
  const axe = new AxeBuilder({ page }).setLegacyMode()
  const { violations } = await (rules ? axe.withRules(rules) : axe.withTags(RULES)).analyze()
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
}
