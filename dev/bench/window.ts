// Owns `bench window`: the waiting room and the seat map as a person's browser has them, in Chromium on a real stack.
import type { Browser, CDPSession, Page } from 'playwright'
import { launchBrowser } from '../../tests/support/browser.ts'
import type { RunFile } from '../up/run-file.ts'
import { startWholeStack } from '../whole-stack.ts'
import type { Report, Row } from './report.ts'
import { measureMap } from './window-map.ts'

const ROUNDS = 3
/** "Slow 4G" as the developer tools apply it to each request: 150 ms to and fro, and what a new connection adds. */
const SLOW_4G = { offline: false, latency: 562.5, downloadThroughput: 184_300, uploadThroughput: 84_400 }
const CPU_SLOWDOWN = 4
const FIRST_PAINT_MAX_MS = 1_000
const INTERACTIVE_MAX_MS = 1_500
const BUSY_MAX_PERCENT = 2
const CALM_MS = 5_000
const WAIT_MS = 20_000
const SHOWN_MS = 60_000
const ROOM = {
  enabled: true,
  lobbyAt: null,
  activeMax: 1,
  admitPerMinute: null,
  doorSeconds: 600,
  passSeconds: 1_800,
  graceSeconds: 600,
  challenge: 'off',
}

/** @param args `room` or `map` for one of the two alone */
export async function bench(args: string[]): Promise<Report> {
  const part = args.find((arg) => arg === 'room' || arg === 'map')
  const stack = await startWholeStack()
  const browser = await launchBrowser()
  try {
    const rows = [
      ...(part === 'map' ? [] : await measureRoom(stack.run, browser, ROUNDS)),
      ...(part === 'room' ? [] : await measureMap(stack.run, browser, ROUNDS)),
    ]
    return { bench: 'window', options: { rounds: ROUNDS }, versions: { Chromium: browser.version() }, rows }
  } finally {
    await browser.close()
    await stack.stop()
  }
}

/** In the page: when something of this name was, in ms since it was asked for. */
const startOf = (name: string) => performance.getEntriesByName(name)[0]?.startTime ?? Number.NaN
const at = (most: number, figures: number[]) => Math.max(...figures) <= most

async function measureRoom(run: RunFile, browser: Browser, rounds: number): Promise<Row[]> {
  const tokens = await fillLine(run, rounds + 2)
  const [painted, interactive, placed, busy]: [number[], number[], number[], number[]] = [[], [], [], []]
  for (const token of tokens.slice(0, rounds)) {
    const { page, session } = await openRoom(run, browser, token, true)
    await page.locator('h1 .number').waitFor({ timeout: SHOWN_MS })
    placed.push(await page.evaluate(() => performance.now()))
    painted.push(await page.evaluate(startOf, 'first-contentful-paint'))
    interactive.push(await page.evaluate(startOf, 'room:interactive'))
    await session.send('Emulation.setCPUThrottlingRate', { rate: 1 })
    await page.waitForTimeout(CALM_MS)
    const before = await taskSeconds(session)
    await page.waitForTimeout(WAIT_MS)
    busy.push((100 * ((await taskSeconds(session)) - before) * 1_000) / WAIT_MS)
    await page.context().close()
  }
  const slow = `${CPU_SLOWDOWN}x CPU slowdown, "Slow 4G" (562 ms a request, 1.5 Mbit/s)`
  return [
    {
      what: 'waiting room: first contentful paint',
      figures: painted,
      unit: 'ms',
      against: `≤ ${FIRST_PAINT_MAX_MS}`,
      ok: at(FIRST_PAINT_MAX_MS, painted),
      note: slow,
    },
    {
      what: 'waiting room: its script has run',
      figures: interactive,
      unit: 'ms',
      against: `≤ ${INTERACTIVE_MAX_MS}`,
      ok: at(INTERACTIVE_MAX_MS, interactive),
      note: slow,
    },
    { what: 'waiting room: the place is seen', figures: placed, unit: 'ms', ok: null, note: slow },
    {
      what: 'waiting room: main thread while waiting',
      figures: busy,
      unit: '%',
      against: `≤ ${BUSY_MAX_PERCENT}`,
      ok: at(BUSY_MAX_PERCENT, busy),
      note: `${WAIT_MS / 1_000} s, no slowdown`,
    },
  ]
}

async function taskSeconds(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics')
  return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0
}

async function openRoom(run: RunFile, browser: Browser, token: string, slow: boolean) {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, serviceWorkers: 'block' })
  await context.addCookies([{ name: 'accessToken', value: token, url: run.url }])
  await context.addInitScript(() => localStorage.setItem('onsale:signed-in', '1'))
  const page: Page = await context.newPage()
  const session = await context.newCDPSession(page)
  await session.send('Performance.enable')
  if (slow) {
    await session.send('Network.enable')
    await session.send('Network.emulateNetworkConditions', SLOW_4G)
    await session.send('Emulation.setCPUThrottlingRate', { rate: CPU_SLOWDOWN })
  }
  await page.goto(`${run.url}/events/${run.demo!.eventId}/room`, { waitUntil: 'commit' })
  return { page, session }
}

/** One is inside and another next; answers those who come behind them. */
async function fillLine(run: RunFile, count: number): Promise<string[]> {
  const call = async (path: string, token: string | null, body?: unknown, method = 'POST') => {
    const answer = await fetch(`${run.url}/api/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      ...(method === 'GET' ? {} : { body: JSON.stringify(body ?? {}) }),
    })
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`)
    return ((await answer.json()) as { data: never }).data
  }
  const { email, password } = run.demo!.accounts.find(({ role }) => role === 'ORGANIZER')!
  const { accessToken } = (await call('/auth/login', null, { email, password })) as { accessToken: string }
  const room = `/event/${run.demo!.eventId}/room`
  await call(room, accessToken, ROOM, 'PUT')
  const buyers = (await call('/dev/buyers', null, { count: count + 2 })) as { accessToken: string }[]
  for (const buyer of buyers.slice(0, 2)) await call(`${room}/join`, buyer.accessToken)
  return buyers.slice(2).map((buyer) => buyer.accessToken)
}
