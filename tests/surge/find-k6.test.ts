// Shows which k6 `surge` takes, and in what words it says that there is none, or only one too old.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findK6 } from '../../dev/surge/find-k6.ts'

let dir: string
let said: string[]
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'onsale-k6-'))
  said = []
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** A program in a folder below `dir`; answers the folder. */
function program(folder: string, name: string, script: string): string {
  const path = join(dir, folder)
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(path, name), 0o755)
  return path
}

const k6 = (folder: string, version: string) =>
  program(folder, 'k6', `echo "k6 v${version} (go1.26.8, linux/amd64)"`)

function find(path: string[], more: Record<string, string> = {}) {
  const env = { PATH: path.join(':'), HOME: join(dir, 'home'), ...more }
  return findK6({ env, cacheDir: join(dir, 'cache'), goFolder: null, say: (sentence) => said.push(sentence) })
}

test('the first on the PATH that is new enough is taken, the older one before it is not', async () => {
  const path = [k6('old', '0.57.0'), k6('new', '1.2.3')]
  expect(await find(path)).toEqual({
    ok: true,
    k6: { program: join(dir, 'new/k6'), version: '1.2.3' },
  })
})

test('Go’s own folder is looked at after the PATH, and the cache after that', async () => {
  k6('cache/k6', '1.8.1')
  expect(await find([])).toMatchObject({ ok: true, k6: { program: join(dir, 'cache/k6/k6') } })
  k6('home/go/bin', '1.8.0')
  expect(await find([])).toMatchObject({ ok: true, k6: { program: join(dir, 'home/go/bin/k6') } })
  expect(await find([], { GOBIN: k6('gobin', '1.0.0') })).toMatchObject({
    ok: true,
    k6: { program: join(dir, 'gobin/k6') },
  })
})

test('a k6 too old is named with its version, in one sentence', async () => {
  const found = await find([k6('old', '0.49.0')])
  expect(found).toEqual({ ok: false, problem: expect.stringContaining(`${join(dir, 'old/k6')} is 0.49.0`) })
  expect(found.ok === false && found.problem.split('\n')).toHaveLength(1)
})

test('without k6 and without Go one sentence says how to get it', async () => {
  const found = await find([join(dir, 'nothing')])
  expect(found).toEqual({ ok: false, problem: expect.stringMatching(/none was found: get one from https:/) })
})

test('something else of that name is not taken for k6', async () => {
  const silent = program('silent', 'k6', 'echo hello')
  const broken = program('broken', 'k6', 'exit 1')
  expect(await find([silent, broken])).toMatchObject({ ok: false })
})

test('with a Go toolchain it is built into the cache, once', async () => {
  const go = program(
    'go',
    'go',
    `[ "$1" = install ] && printf '#!/bin/sh\\necho k6 v1.8.1\\n' > "$GOBIN/k6" && /bin/chmod +x "$GOBIN/k6"`,
  )
  const built = { ok: true, k6: { program: join(dir, 'cache/k6/k6'), version: '1.8.1' } } as const
  expect(await find([go])).toEqual(built)
  expect(said).toHaveLength(1)
  expect(await find([])).toEqual(built)
  expect(said).toHaveLength(1)
})

test('a build that fails says why, and how to get k6 all the same', async () => {
  const go = program('go', 'go', 'echo "go: no network" >&2; exit 1')
  expect(await find([go])).toEqual({
    ok: false,
    problem: expect.stringContaining('(go: no network): get one'),
  })
})
