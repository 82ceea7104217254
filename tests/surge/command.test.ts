// Shows what `surge` says when it cannot begin: one sentence, and exit code 1.
import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeRunFile } from '../../dev/up/run-file.ts'

const SURGE = join(import.meta.dir, '../../dev/surge.ts')
const dir = mkdtempSync(join(tmpdir(), 'onsale-surge-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

async function surge(...words: string[]) {
  const child = Bun.spawn([process.execPath, SURGE, ...words], {
    env: { ...process.env, DATA_DIR: dir },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const said = await new Response(child.stderr).text()
  return { code: await child.exited, said: said.trimEnd() }
}

test('nothing running is one sentence', async () => {
  expect(await surge('normal')).toEqual({
    code: 1,
    said: 'Nothing runs here: start Onsale with `npm start`, then surge it.',
  })
})

test('an unknown scenario and a size that is none are named, with what there is', async () => {
  expect(await surge('stampede')).toMatchObject({
    code: 1,
    said: expect.stringMatching(/^There is no scenario stampede\n/),
  })
  expect(await surge('normal', '-e', 'BUYERS=many')).toMatchObject({
    code: 1,
    said: expect.stringContaining('BUYERS=many'),
  })
})

test('an Onsale without a demo cannot be surged, and it says so', async () => {
  const store = { url: 'nowhere', pid: null }
  writeRunFile(dir, {
    url: 'http://localhost:1',
    pid: process.pid,
    servers: [],
    worker: { pid: process.pid },
    postgres: store,
    redis: store,
    mailbox: null,
    demo: null,
  })
  expect(await surge('normal')).toMatchObject({ code: 1, said: expect.stringContaining('DEMO=1') })
})
