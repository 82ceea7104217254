// Holds the waiting room to its weight: what everybody loads in the same minute stays small, and is nothing that could run
// from anywhere else.
import { expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildWeb } from '../../dev/up/web-build.ts'
import { languages } from '../../web/build/messages.ts'

const DIST = join(import.meta.dir, '../../web/dist')
/** Script and style together, compressed, in bytes. */
const FIRST_LOAD_MAX = 30_000
/** The page itself, with its style, and the scripts it names. */
const FILES_MAX = 3
const BUILD_MS = 180_000

const zipped = (text: string) => Bun.gzipSync(Buffer.from(text), { level: 9 }).length
const read = (path: string) => readFileSync(join(DIST, path), 'utf8')

/** Everything that must be there before the waiting room stands. */
function firstLoad(page: string): { files: string[]; styles: string[] } {
  const tags = [...page.matchAll(/<(?:script|link)\b[^>]*>/g)].map(([tag]) => tag)
  const files = tags
    .filter((tag) => /type="module"|rel="(modulepreload|stylesheet)"/.test(tag))
    .map((tag) => /(?:src|href)="\/([^"]+)"/.exec(tag)![1]!)
  return { files, styles: [...page.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, style]) => style!) }
}

test(
  'the waiting room loads at most 30 KB of script and style, in every language',
  async () => {
    await buildWeb()
    for (const language of languages()) {
      const { files, styles } = firstLoad(read(`${language}/room.html`))
      expect(files.length).toBeGreaterThan(0)
      expect(files.length).toBeLessThanOrEqual(FILES_MAX)
      const weight = [...files.map(read), ...styles].reduce((sum, text) => sum + zipped(text), 0)
      expect([language, weight <= FIRST_LOAD_MAX, weight]).toEqual([language, true, weight])
      // Whoever has not all of it in these would wait for more.
      for (const file of files.filter((path) => path.endsWith('.js')))
        expect([...read(file).matchAll(/^import|[;}]import[{*"]/g)]).toEqual([])
    }
  },
  BUILD_MS,
)

test('no page holds a script or a handler of its own, and what it names is there', () => {
  for (const language of languages())
    for (const name of readdirSync(join(DIST, language)).filter((file) => file.endsWith('.html'))) {
      const page = read(`${language}/${name}`)
      expect(page).toContain(`<html lang="${language}">`)
      expect(page).not.toMatch(/<script(?![^>]*\bsrc=)[^>]*>|\son\w+=|javascript:|%\w+%/)
      for (const [, path] of page.matchAll(/(?:src|href|content)="\/([\w.\-/]+\.\w+)"/g))
        expect([path, existsSync(join(DIST, path!))]).toEqual([path, true])
    }
})
