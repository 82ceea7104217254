// Holds how the Dockerfile is read by whoever runs its steps by hand: every step known, and nothing left out copied.
import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ignores, readDockerfile } from '../../dev/image/dockerfile.ts'

const root = join(import.meta.dir, '../..')
const text = (path: string) => readFileSync(join(root, path), 'utf8')

test('our own Dockerfile is read whole, and ends as somebody who is not root', () => {
  const steps = readDockerfile(text('Dockerfile'))
  expect(steps.filter(({ kind }) => kind === 'FROM')).toHaveLength(3)
  const user = steps.findLast((step) => step.kind === 'USER')
  expect(user?.kind === 'USER' && user.text).toBe('bun')
  const last = steps.at(-1)
  expect(last?.kind === 'CMD' && last.words).toEqual(['bun', 'server/main.ts'])
})

test('steps are what they say', () => {
  expect(
    readDockerfile('FROM a:1 AS b\nENV A=1 B=two\nRUN one \\\n  two\nCOPY --from=b /x y ./\nCMD ["a", "b"]'),
  ).toEqual([
    { kind: 'FROM', image: 'a:1', as: 'b' },
    { kind: 'ENV', values: { A: '1', B: 'two' } },
    { kind: 'RUN', text: 'one    two' },
    { kind: 'COPY', from: 'b', sources: ['/x', 'y'], target: './' },
    { kind: 'CMD', words: ['a', 'b'] },
  ])
})

test('a step that is not known is refused instead of left out', () => {
  expect(() => readDockerfile('FROM a\nADD x y')).toThrow('The step ADD of the Dockerfile is not known here')
})

test('what .dockerignore leaves out is left out: secrets and data, and what was built here', () => {
  const rules = text('.dockerignore')
  for (const path of [
    '.env',
    '.data/secrets.json',
    '.git',
    'web/dist/index.html',
    'web/node_modules',
    'tests/api',
  ])
    expect([path, ignores(rules, path)]).toEqual([path, true])
  for (const path of [
    'package.json',
    'server/main.ts',
    'web/build/build.ts',
    'db/migrations/meta/_journal.json',
  ])
    expect([path, ignores(rules, path)]).toEqual([path, false])
})
