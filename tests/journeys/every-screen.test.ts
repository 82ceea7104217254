// Holds every screen of the window, in each of its states, to everybody being able to use it: axe finds nothing and nothing is
// wider than the screen, in light on a phone and in dark on a desk, each screen in both languages.
import { beforeAll, describe, expect, test } from 'bun:test'
import { LANGUAGES } from '../../server/protocol/codes.ts'
import { NOT_FOUND, ROUTES } from '../../web/src/routes.ts'
import { hasBrowser } from '../support/browser.ts'
import { accessFaults, startJourney } from '../support/journey.ts'
import { BUYING } from '../support/screens/buying.ts'
import { DESK } from '../support/screens/desk.ts'
import { ENTRANCE } from '../support/screens/entrance.ts'
import { ROOM } from '../support/screens/room.ts'
import { setStage } from '../support/screens/stage.ts'
import { startVisits, type Screens, type Visit } from '../support/screens/visit.ts'

const STAGE_MS = 90_000
const SCREEN_MS = 60_000
const DESK_SIZE = { width: 1_280, height: 800 }
/** Without JavaScript there is no other way to hear of one's turn: an exception WCAG 2.2.1 makes for what happens at its time. */
const isItsOnlyWay = (fault: string, address: string) =>
  fault.startsWith('meta-refresh:') && address.endsWith('?plain')
const SCREENS: Screens = { ...ENTRANCE, ...ROOM, ...BUYING, ...DESK }
const journey = startJourney()
const visits: Visit[] = []
beforeAll(async () => {
  if (!hasBrowser) return
  const stage = await setStage(journey)
  for (const language of LANGUAGES) visits.push(await startVisits(journey, stage, language))
}, STAGE_MS)

test('every screen the router knows is looked at here', () => {
  const known = [...ROUTES, NOT_FOUND].map(({ pattern }) => pattern)
  expect(Object.keys(SCREENS).toSorted()).toEqual(known.toSorted())
})

describe.skipIf(!hasBrowser)('everybody can use', () => {
  for (const [index, [pattern, states]] of Object.entries(SCREENS).entries())
    for (const [number, [state, open]] of Object.entries(states).entries())
      test(
        `${pattern}, ${state}`,
        async () => {
          // The states of a screen take turns at the languages: its words change, what it is made of does not.
          const page = await open(visits[(index + number) % LANGUAGES.length]!)
          const wide = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
          const found = await accessFaults(page)
          const faults = found.filter((fault) => !isItsOnlyWay(fault, page.url()))
          const phone = { faults, wide: await wide() }
          await page.setViewportSize(DESK_SIZE)
          await page.emulateMedia({ colorScheme: 'dark' })
          // Of what can be wrong, only colours hang on light and dark.
          const desk = { faults: await accessFaults(page, ['color-contrast']), wide: await wide() }
          const sound = { faults: [], wide: 0 }
          expect({ phone, desk }).toEqual({ phone: sound, desk: sound })
          for (const tab of page.context().pages()) await tab.close()
        },
        SCREEN_MS,
      )
})
