// Holds the security checklist to the tests it names: each file is there, and has a test of that name.
import { expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dir, '../..')
const NAMED = /`(tests\/[\w./-]+\.ts)`(?:: “([^”]+)”)?/g

interface Named {
  file: string
  name: string | undefined
}

const namedIn = (text: string): Named[] =>
  [...text.matchAll(NAMED)].map(([, file = '', name]) => ({ file, name }))

function missing({ file, name }: Named): string[] {
  const path = join(root, file)
  if (!existsSync(path)) return [`${file} does not exist`]
  return name === undefined || readFileSync(path, 'utf8').includes(name)
    ? []
    : [`${file} has no test “${name}”`]
}

test('every test that the security checklist names exists, by its name', () => {
  const named = namedIn(readFileSync(join(root, 'docs/security.md'), 'utf8'))
  expect(named.length).toBeGreaterThan(50)
  expect(named.flatMap(missing)).toEqual([])
})

test('a test that is not there is missed', () => {
  const text =
    '`tests/house/imports.test.ts`: “a test that nobody has written” and `tests/house/nothing.test.ts`'
  expect(namedIn(text).flatMap(missing)).toHaveLength(2)
})

test('what is not met is said in bold, so that it can be counted', () => {
  const lines = readFileSync(join(root, 'docs/security.md'), 'utf8').split('\n')
  const open = lines.filter((line) => line.startsWith('| ') && line.endsWith('| |'))
  // Without a test a line is somebody else's duty, or says that it is not met.
  for (const line of open) expect(line).toMatch(/\*\*not met\*\*|proxy|operator/)
})
