/** Owns `npm test`: throw-away stores, every test on them, the ledger's once more on an older PostgreSQL. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from './stores/postgres.ts'
import { compileMessages } from '../web/build/messages.ts'
import { startRedis } from './stores/redis.ts'
import { buildWeb } from './up/web-build.ts'

const root = join(import.meta.dir, '..')
/** Where Debian and Ubuntu keep each PostgreSQL they installed. */
const SYSTEM_POSTGRES = '/usr/lib/postgresql'
const LEDGER_TESTS = 'tests/ledger'
const JOURNEYS = 'tests/journeys'
const LONGEST_RUN_MS = 30 * 60_000
/** Half of a file's time is waiting for a clock, so that two at once take little more than one. */
const FILES_AT_ONCE = 2
/** Two cores shared with two stores and sometimes a browser: a slow machine is no failure. */
const LONGEST_TEST_MS = 30_000
/**
 * Here real servers, sockets, processes and browsers are asked to be in time. A file that failed beside another is asked
 * once more, alone, and the last line says so. What guards the ledger and the line is never asked twice.
 */
const ASKED_AGAIN = ['api', 'socket', 'worker', 'security', 'ops', 'surge', 'journeys'].map(
  (folder) => `tests/${folder}/`,
)
/** More than so many files at once is no bad luck. */
const ASKED_AGAIN_MAX = 4

interface Tally {
  passed: number
  failed: number
  skipped: number
  /** Tests that failed beside another file and passed alone. */
  passedAlone: number
}

interface Failure {
  file: string
  test: string
}

interface Run extends Tally {
  failures: Failure[]
}

const dir = mkdtempSync(join(tmpdir(), 'onsale-test-'))
const stops: (() => Promise<void>)[] = []
let running: Bun.Subprocess | undefined
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    running?.kill('SIGTERM')
    void clearUp().then(() => process.exit(1))
  })
}
process.exitCode = await main()
await clearUp()

async function main(): Promise<number> {
  const filters = process.argv.slice(2)
  const redis = await startRedis({ dir: join(dir, 'redis'), cacheDir: join(root, '.cache'), throwaway: true })
  stops.push(redis.stop)
  const database = await startPostgres({ dir: join(dir, 'postgres'), throwaway: true })
  stops.push(database.stop)
  // What several files at once would make at once is made before.
  await compileMessages()
  if (filters.length === 0 || filters.some((path) => path.includes(JOURNEYS))) await buildWeb()
  const tallies = [await runTests(filters, database.url, redis.url)]
  const ledger = filters.length === 0 ? [LEDGER_TESTS] : filters.filter((path) => path.includes(LEDGER_TESTS))
  if (ledger.length > 0) tallies.push(await runOnOlder(ledger, redis.url))
  const sum = (key: keyof Tally) => tallies.reduce((total, tally) => total + tally[key], 0)
  const skipped = sum('skipped') === 0 ? '' : `, ${sum('skipped')} skipped`
  const alone = sum('passedAlone') === 0 ? '' : `, ${sum('passedAlone')} of them only when run again alone`
  console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped}${alone}`)
  return sum('failed') === 0 && sum('passed') > 0 ? 0 : 1
}

/** The same guarantees on the oldest PostgreSQL this machine has: no function newer than 14 may be needed. */
async function runOnOlder(filters: string[], redisUrl: string): Promise<Tally> {
  const version = findSystemPostgres()
  if (version === undefined) {
    console.log(`No PostgreSQL in ${SYSTEM_POSTGRES}: the ledger's tests ran on the packaged one only`)
    return { passed: 0, failed: 0, skipped: 0, passedAlone: 0 }
  }
  console.log(`The ledger's tests once more, on PostgreSQL ${version}`)
  const binaries = join(SYSTEM_POSTGRES, version, 'bin')
  const database = await startPostgres({ dir: join(dir, 'older'), binaries, throwaway: true })
  stops.push(database.stop)
  return runTests(filters, database.url, redisUrl)
}

function findSystemPostgres(): string | undefined {
  if (!existsSync(SYSTEM_POSTGRES)) return undefined
  const versions = readdirSync(SYSTEM_POSTGRES).filter((version) => {
    return Number(version) >= 14 && existsSync(join(SYSTEM_POSTGRES, version, 'bin', 'initdb'))
  })
  return versions.toSorted((a, b) => Number(a) - Number(b))[0]
}

function mayBeLate({ file }: Failure): boolean {
  return ASKED_AGAIN.some((folder) => file.startsWith(folder))
}

/** Every file once, and once more those that may have failed for want of time. */
async function runTests(filters: string[], databaseUrl: string, redisUrl: string): Promise<Tally> {
  const stores = { TEST_DATABASE_URL: databaseUrl, TEST_REDIS_URL: redisUrl }
  const first = await runOnce(filters, FILES_AT_ONCE, stores)
  const late = first.failures.filter(mayBeLate)
  const files = [...new Set(late.map(({ file }) => file))]
  const again = files.length > 0 && files.length <= ASKED_AGAIN_MAX
  if (again) console.log(`Once more, alone: ${files.join(', ')}`)
  const second = again ? await runOnce(files, 1, stores) : undefined
  const passedAlone = second ? Math.max(0, late.length - second.failed) : 0
  const failures = second
    ? [...first.failures.filter((one) => !mayBeLate(one)), ...second.failures]
    : first.failures
  for (const { file, test } of failures) console.log(`FAILED ${file}: ${test}`)
  return {
    passed: first.passed + passedAlone,
    failed: first.failed - passedAlone,
    skipped: first.skipped,
    passedAlone,
  }
}

/** Counts by the report, and one failure more when the run itself ended badly without saying where. */
async function runOnce(filters: string[], filesAtOnce: number, stores: Record<string, string>): Promise<Run> {
  const report = join(dir, `report-${Bun.randomUUIDv7()}.xml`)
  const reporting = ['--reporter=junit', `--reporter-outfile=${report}`]
  const limits = [`--parallel=${filesAtOnce}`, `--timeout=${LONGEST_TEST_MS}`]
  running = Bun.spawn([process.execPath, 'test', ...filters, ...limits, ...reporting], {
    cwd: root,
    env: { ...process.env, ...stores },
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: LONGEST_RUN_MS,
  })
  const code = await running.exited
  const xml = existsSync(report) ? readFileSync(report, 'utf8') : ''
  const head = /<testsuites[^>]*>/.exec(xml)?.[0] ?? ''
  const count = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(head)?.[1] ?? 0)
  const [tests, skipped, told] = [count('tests'), count('skipped'), count('failures')]
  const failed = told === 0 && code !== 0 ? 1 : told
  return { passed: tests - skipped - told, failed, skipped, passedAlone: 0, failures: readFailures(xml) }
}

function readFailures(xml: string): Failure[] {
  return [...xml.matchAll(/<testcase([^>]*[^/])>\s*<failure/g)].map(([, attributes]) => {
    const read = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(attributes!)?.[1] ?? ''
    return { file: read('file'), test: read('name') }
  })
}

async function clearUp() {
  await Promise.all(stops.splice(0).map((stop) => stop()))
  rmSync(dir, { recursive: true, force: true })
}
