/** Owns `screens [area …]`: a real Onsale on a folder of its own, and pictures of every screen in it, to be looked at. */
import { hasBrowser, launchBrowser } from '../tests/support/browser.ts'
import { openStudio, type Studio } from './screens/studio.ts'
import { startWholeStack } from './whole-stack.ts'

/** Each area takes its own pictures; what one of them leaves behind is no concern of the next. */
const AREAS: Record<string, () => Promise<{ shoot: (studio: Studio) => Promise<void> }>> = {
  room: () => import('./screens/room.ts'),
  map: () => import('./screens/map.ts'),
  checkout: () => import('./screens/checkout.ts'),
  entrance: () => import('./screens/entrance.ts'),
  desk: () => import('./screens/desk.ts'),
  door: () => import('./screens/door.ts'),
  form: () => import('./screens/form.ts'),
}

if (!hasBrowser) process.exit(2)
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !AREAS[name])
if (unknown.length > 0) {
  console.error(`There are no screens ${unknown.join(', ')}; there are: ${Object.keys(AREAS).join(', ')}`)
  process.exit(2)
}
const stack = await startWholeStack()
const browser = await launchBrowser()
let failed = false
try {
  for (const name of asked.length > 0 ? asked : Object.keys(AREAS))
    try {
      const { shoot } = await AREAS[name]!()
      await shoot(openStudio(stack.run, browser, name))
    } catch (fault) {
      failed = true
      console.error(
        `screens ${name} were not all taken: ${fault instanceof Error ? fault.message : String(fault)}`,
      )
    }
} finally {
  await browser.close()
  await stack.stop()
}
console.log('Pictures are in .cache/screens')
process.exit(failed ? 1 : 0)
