// Shows what `surge` and `rehearse` say when they cannot begin: one sentence, and exit code 1.
import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeRunFile } from '../../dev/up/run-file.ts'

const DEV = join(import.meta.dir, '../../dev')
const dir = mkdtempSync(join(tmpdir(), 'onsale-surge-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const surge = (...words: string[]) => run('surge.ts', ...words)
const rehearse = (...words: string[]) => run('rehearse.ts', ...words)

async function run(script: string, ...words: string[]) {
  return runIn(process.env, script, ...words)
}

async function runIn(env: NodeJS.ProcessEnv, script: string, ...words: string[]) {
  const child = Bun.spawn([process.execPath, join(DEV, script), ...words], {
    env: { ...env, DATA_DIR: dir },
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
  expect(await rehearse()).toEqual({
    code: 1,
    said: 'Nothing runs here: start Onsale with `npm start`, then rehearse.',
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

test('a speed and a crowd beyond their limits are refused with them', async () => {
  expect((await rehearse('--speed', '1000×')).said).toStartWith('--speed must lie between 1 and 60\n')
  expect((await rehearse('--buyers', '0')).said).toStartWith('--buyers must lie between 1 and 20000\n')
})

const store = { url: 'nowhere', pid: null }
const running = {
  url: 'http://localhost:1',
  pid: process.pid,
  servers: [],
  worker: { pid: process.pid },
  postgres: store,
  redis: store,
  mailbox: null,
}

test('a surge that is to be watched needs a Prometheus, and says where one is had', async () => {
  writeRunFile(dir, { ...running, demo: { eventId: 'none', accounts: [] } })
  const nowhere = { ...process.env, PATH: dir }
  expect(await runIn(nowhere, 'surge.ts', 'normal', '--watched')).toEqual({
    code: 1,
    said: '--watched asks a real Prometheus, and there is no `prometheus` on the PATH (`apt-get install prometheus`).',
  })
})

test('an Onsale without a demo cannot be surged, and it says so', async () => {
  writeRunFile(dir, { ...running, demo: null })
  expect(await surge('normal')).toMatchObject({ code: 1, said: expect.stringContaining('DEMO=1') })
  expect(await rehearse()).toMatchObject({ code: 1, said: expect.stringContaining('needs a demo') })
})
