// Holds the launcher to building the window again whenever something of it has changed.
import { expect, test } from 'bun:test'
import { webSources } from '../../dev/up/web-build.ts'

test('a change of the window or of the protocol it shares is noticed, one of the bundle is not', () => {
  const sources = webSources()
  expect(sources).toContain('web/index.html')
  expect(sources).toContain('web/src/main.ts')
  expect(sources).toContain('web/src/screens/Seats.svelte')
  expect(sources).toContain('server/protocol/codes.ts')
  expect(sources.filter((path) => path.startsWith('web/dist/'))).toEqual([])
})
