// Owns the browser of the journeys: finds a Chromium, or lets a journey say that there is none.
import { chromium, type Browser } from 'playwright'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']
/** No sandbox because tests may run as root in a container; the rest keeps the browser from calling home. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const executablePath =
  process.env.CHROMIUM || NAMES.map((name) => Bun.which(name)).find((path) => path !== null) || null

/** False when the journeys must be skipped; says so once. */
export const hasBrowser = executablePath !== null
if (!hasBrowser)
  console.log(
    'No Chromium found (set CHROMIUM, or install the package chromium): journeys in a browser are skipped',
  )

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: executablePath!, args: FLAGS })
}
