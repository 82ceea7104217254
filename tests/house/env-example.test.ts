/** Holds .env.example to the sources: every variable that is read is listed, every listed one is read. */
import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SERVER_VARIABLES } from '../../server/config.ts'
import { readUpSettings } from '../../dev/up/settings.ts'
import { WORKER_VARIABLES } from '../../worker/config.ts'

const root = join(import.meta.dir, '../..')
const example = readFileSync(join(root, '.env.example'), 'utf8')
const listed = [...example.matchAll(/^(?:# )?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name ?? '')
/** Everyone's, not Onsale's. */
const OF_THE_MACHINE = ['PATH', 'HOME', 'NODE_ENV', 'NO_COLOR', 'CI', 'BUN_INSTALL_CACHE_DIR']

function variablesIn(glob: string, pattern: RegExp): string[] {
  const files = [...new Bun.Glob(glob).scanSync({ cwd: root })].filter(
    (path) => !path.includes('node_modules'),
  )
  const text = files.map((path) => readFileSync(join(root, path), 'utf8'))
  return text.flatMap((source) => [...source.matchAll(pattern)].map(([, name]) => name ?? ''))
}

const read = new Set([
  ...SERVER_VARIABLES,
  ...WORKER_VARIABLES,
  ...variablesIn('{db,server,worker,dev}/**/*.{ts,mjs}', /\benv\.([A-Z][A-Z0-9_]+)/g),
  ...variablesIn('tests/**/*.ts', /\b(TEST_[A-Z]+_URL)\b/g),
  ...variablesIn('dev/up/settings.ts', /given\('([A-Z_]+)'\)/g),
  ...variablesIn('docker-compose.yml', /\$\{([A-Z0-9_]+)/g),
])

test('every variable that is read is listed', () => {
  const missing = [...read].filter((name) => !listed.includes(name) && !OF_THE_MACHINE.includes(name))
  expect(missing).toEqual([])
})

test('every listed variable is read, and listed once', () => {
  expect(listed.filter((name) => !read.has(name))).toEqual([])
  expect(listed).toEqual([...new Set(listed)])
})

test('the example as it stands is a good environment, with the defaults', () => {
  const lines = example.split('\n').filter((line) => /^[A-Z]/.test(line))
  const env = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
  expect(readUpSettings(env)).toEqual(readUpSettings({}))
})
