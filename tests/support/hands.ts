// Owns how a person reaches what is on a page: with a pointer, or with the keyboard and nothing else.
import type { Locator, Page } from 'playwright'

export interface Hands {
  press(target: Locator): Promise<unknown>
  /** Presses what must have one effect, however impatient the hand is. */
  insist(target: Locator): Promise<unknown>
  write(target: Locator, text: string): Promise<unknown>
  /** Chooses a seat by its row and number, where typing is the way. */
  pick?(typed: string, seat: Locator): Promise<unknown>
  /** How many pointer events the page has had. */
  pointerEvents(): Promise<number>
}

/** More stops of the Tab key than any page has. */
const STOPS_MAX = 120

type Press = (target: Locator) => Promise<unknown>
export const pointerOf = (press: Press, insist = press): Hands => ({
  press: (target) => press(target.first()),
  insist: (target) => insist(target.first()),
  write: (target, text) => target.fill(text),
  pointerEvents: async () => 0,
})

const isFocused = (target: Locator) =>
  target.first().evaluate((element) => element === document.activeElement)

export async function keyboardOf(page: Page): Promise<Hands> {
  let pointerEvents = 0
  await page.exposeFunction('countPointer', () => (pointerEvents += 1))
  await page.addInitScript(() => {
    const { countPointer } = globalThis as unknown as { countPointer: () => void }
    for (const kind of ['pointerdown', 'mousedown', 'touchstart']) addEventListener(kind, countPointer, true)
  })
  const reach = async (target: Locator) => {
    await target.first().waitFor()
    for (let stop = 0; stop < STOPS_MAX; stop += 1) {
      if (await isFocused(target)) return
      await page.keyboard.press('Tab')
    }
    throw new Error(`the keyboard does not come to ${target}`)
  }
  const press = async (target: Locator) => {
    await reach(target)
    await page.keyboard.press('Enter')
  }
  return {
    press,
    insist: press,
    async write(target, text) {
      await reach(target)
      await page.keyboard.type(text)
    },
    async pick(typed, seat) {
      await page.waitForFunction(() => document.activeElement?.getAttribute('role') === 'gridcell')
      await page.keyboard.type(typed)
      await seat.and(page.locator(':focus')).waitFor()
      await page.keyboard.press('Enter')
    },
    pointerEvents: async () => pointerEvents,
  }
}
