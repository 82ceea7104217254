// Holds the documents against the code: links that lead somewhere, an index that is complete, codes that are explained.
import { Glob } from 'bun'
import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ERROR_CODES } from '../../server/protocol/codes.ts'
import { anchorsOf } from '../support/anchors.ts'

const ROOT = join(import.meta.dir, '../..')
const read = (path: string) => Bun.file(join(ROOT, path)).text()
const LINK = /\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)/g

test('every relative link in a document leads to a file, and to a heading of it', async () => {
  const broken: string[] = []
  for await (const document of new Glob('{*.md,docs/**/*.md,k6/**/*.md}').scan({ cwd: ROOT })) {
    for (const [, target, anchor] of (await read(document)).matchAll(LINK)) {
      const path = target ? join(dirname(document), target) : document
      const leads = existsSync(join(ROOT, path)) && (!anchor || anchorsOf(await read(path)).includes(anchor))
      if (!leads) broken.push(`${document} → ${target}#${anchor ?? ''}`)
    }
  }
  expect(broken).toEqual([])
})

test('the index of decisions lists each decision once, and each has the five headings', async () => {
  const index = await read('docs/adr/README.md')
  for await (const file of new Glob('0*.md').scan({ cwd: join(ROOT, 'docs/adr') })) {
    expect(index.split(`(${file})`).length - 1).toBe(1)
    const text = await read(`docs/adr/${file}`)
    for (const heading of ['Status', 'Context', 'Decision', 'Consequences'])
      expect(text).toContain(`## ${heading}`)
    expect(text.startsWith('# ')).toBe(true)
  }
})

test('ARCHITECTURE.md stays a page a person reads', async () => {
  expect((await read('ARCHITECTURE.md')).split('\n').length).toBeLessThanOrEqual(150)
})

test('every error code has its sentence in the API and its way out in the client', async () => {
  const api = await read('server/errors.ts')
  const client = await read('web/src/error-text.ts')
  for (const code of ERROR_CODES) {
    expect(api).toContain(`${code}:`)
    expect(client).toContain(`${code}:`)
  }
})

test('the lock file names packages and hashes, no download addresses', async () => {
  expect(await read('bun.lock')).not.toMatch(/https?:/)
})

test('.env.example lists every variable the server reads', async () => {
  const { SERVER_VARIABLES } = await import('../../server/config.ts')
  const example = await read('.env.example')
  for (const variable of SERVER_VARIABLES) expect(example).toMatch(new RegExp(`^#? ?${variable}=`, 'm'))
})
