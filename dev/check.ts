/** Owns `check`: what must hold of the sources before they are shared, one line for each, and all of them run. */
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { compileMessages } from '../web/build/messages.ts'

const root = join(import.meta.dir, '..')

interface Verdict {
  ok: boolean
  said: string
}

const checks: [string, () => Promise<Verdict>][] = [
  ['format', () => run(['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'])],
  ['lint', () => run(['node_modules/oxlint/bin/oxlint', '--quiet'])],
  ['types', () => run(['node_modules/typescript/bin/tsc', '-p', '.', '--noEmit'])],
  ['k6 types', () => run(['node_modules/typescript/bin/tsc', '-p', 'k6', '--noEmit'])],
  ['svelte', () => run(['node_modules/svelte-check/bin/svelte-check', '--workspace', 'web'])],
  ['house', () => run(['test', 'tests/house'])],
  ['migrations', checkMigrations],
  ['lockfile', checkLockfile],
]

// Types and tests read what is compiled of them.
await compileMessages()
let failures = 0
for (const [name, check] of checks) {
  const began = performance.now()
  const { ok, said } = await check()
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.log(`${name.padEnd(11)} ${ok ? 'ok' : 'failed'} (${seconds} s)`)
  if (ok) continue
  failures += 1
  console.log(said.trimEnd().replaceAll(/^/gm, '  '))
}
process.exit(failures === 0 ? 0 : 1)

async function run(words: string[]): Promise<Verdict> {
  const child = Bun.spawn([process.execPath, ...words], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = await Promise.all([child.stdout, child.stderr].map((stream) => new Response(stream).text()))
  return { ok: (await child.exited) === 0, said: said.join('') }
}

/** Generating into a copy must add nothing: the schema and its migrations say the same. */
async function checkMigrations(): Promise<Verdict> {
  // drizzle-kit takes its folder relative to where it runs.
  const copy = `.cache/migrations-${process.pid}`
  const path = join(root, copy)
  cpSync(join(root, 'db/migrations'), path, { recursive: true })
  try {
    const before = filesOf(path)
    const flags = ['--dialect', 'postgresql', '--schema', './db/schema.ts', '--out', copy]
    const { ok, said } = await run(['node_modules/drizzle-kit/bin.cjs', 'generate', ...flags])
    const added = filesOf(path).filter((file) => !before.includes(file))
    if (ok && added.length === 0) return { ok: true, said }
    return {
      ok: false,
      said: `db:generate would write: ${added.join(', ') || 'nothing, but it failed'}\n${said}`,
    }
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true }).map(String).toSorted()
}

/** An address in the lockfile would tie every clone to one registry. */
async function checkLockfile(): Promise<Verdict> {
  const lines = readFileSync(join(root, 'bun.lock'), 'utf8').split('\n')
  const found = lines.flatMap((line, index) => (line.includes('"http') ? [`bun.lock:${index + 1}`] : []))
  return { ok: found.length === 0, said: `an address is in the lockfile: ${found.join(', ')}` }
}
