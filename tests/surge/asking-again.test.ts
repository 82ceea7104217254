// Shows what k6's users do with answers that are no answer: what is stated or cut is asked again under the same key and
// counted, and everything else stays unexpected.
import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findK6, K6_ALONE } from '../../dev/surge/find-k6.ts'
import type { SurgeSummary } from '../../k6/lib/figures.ts'

const ROOT = join(import.meta.dir, '../..')
const RUN_MS = 30_000
const dir = mkdtempSync(join(tmpdir(), 'onsale-asking-'))
const found = await findK6({ env: process.env, cacheDir: join(ROOT, '.cache') })
const withK6 = found.ok ? test : test.skip
if (!found.ok) console.log(`k6 is not here, so nothing was asked: ${found.problem}`)
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const refusal = (code: string, status: number, headers = {}) => Response.json({ code }, { status, headers })
const soon = { 'retry-after': '0' }
/** What each address answers, one after the other; the last one for good. */
const ANSWERS: Record<string, (() => Response | Promise<Response>)[]> = {
  stated: [
    () => refusal('store_unavailable', 503, soon),
    () => refusal('idempotency_in_progress', 409, soon),
    () => Response.json({ data: 'held' }, { status: 201 }),
  ],
  cut: [
    () => new Response('<html>nobody is there', { status: 503 }),
    () => new Response('{"data": "he'),
    () => Response.json({ data: 'held' }, { status: 201 }),
  ],
  keyless: [() => refusal('store_unavailable', 503, soon)],
  unstated: [() => refusal('store_unavailable', 503)],
  broken: [() => refusal('internal', 500, soon)],
}
const SCRIPT = `
import { ask, newKey } from '${ROOT}/k6/lib/api.ts'
import { beginTallies } from '${ROOT}/k6/lib/tally.ts'
export { handleSummary } from '${ROOT}/k6/lib/summary.ts'
export const setup = () => beginTallies()
export default async function () {
  for (const what of ['stated', 'cut', 'unstated', 'broken'])
    await ask({ method: 'POST', path: '/' + what, name: what, body: {}, key: newKey(what), accept: [409] })
  await ask({ method: 'POST', path: '/keyless', name: 'keyless', body: {} })
}
`

withK6(
  'what is stated or cut is asked again with its key, what is neither is unexpected',
  async () => {
    if (!found.ok) return
    const keys: Record<string, (string | null)[]> = {}
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch(request) {
        const what = new URL(request.url).pathname.split('/').at(-1)!
        const asked = (keys[what] ??= [])
        asked.push(request.headers.get('idempotency-key'))
        const answers = ANSWERS[what]!
        return answers[Math.min(asked.length, answers.length) - 1]!()
      },
    })
    const [script, summary] = [join(dir, 'script.ts'), join(dir, 'summary.json')]
    writeFileSync(script, SCRIPT)
    const k6 = Bun.spawn([found.k6.program, 'run', '--quiet', '--address=', script], {
      stdio: ['ignore', 'ignore', 'ignore'],
      env: { ...process.env, ...K6_ALONE, URL: server.url.href, SURGE_SUMMARY: summary },
    })
    expect(await k6.exited).toBe(0)
    await server.stop(true)

    const { figures } = JSON.parse(readFileSync(summary, 'utf8')) as SurgeSummary
    const counted = (name: string) => figures.find((figure) => figure.name === name)?.value
    expect({ told: counted('retries_told'), unanswered: counted('retries_unanswered') }).toEqual({
      told: '2',
      unanswered: '2',
    })
    expect(counted('unexpected_answers')).toBe('3')
    const times = Object.fromEntries(Object.entries(keys).map(([what, asked]) => [what, asked.length]))
    expect(times).toEqual({ stated: 3, cut: 3, keyless: 1, unstated: 1, broken: 1 })
    for (const what of ['stated', 'cut']) {
      expect(keys[what]![0]).toStartWith(`${what}-`)
      expect(new Set(keys[what]).size).toBe(1)
    }
  },
  RUN_MS,
)
