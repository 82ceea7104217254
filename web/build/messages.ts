// Decides what the window says: compiles web/messages/<language>/<area>.json into functions, one a message, and their types.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const WEB = join(import.meta.dirname, '..')
export const SOURCES = join(WEB, 'messages')
const CACHE = join(WEB, '../.cache')
/** What `#messages` stands for in package.json. */
export const MESSAGES = join(WEB, '.messages')
const STAMP = join(MESSAGES, '.sources')
const FORMAT = join(WEB, '../node_modules/@inlang/plugin-message-format/dist/index.js')
export const BASE_LANGUAGE = 'en'

/** Every language there is, the one that all others are held against first: a folder each. */
export const languages = (): string[] => {
  const found = readdirSync(SOURCES, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return [
    BASE_LANGUAGE,
    ...found
      .map(({ name }) => name)
      .filter((name) => name !== BASE_LANGUAGE)
      .toSorted(),
  ]
}
/** Every area of the window, a file each. */
export const areas = (): string[] =>
  readdirSync(join(SOURCES, BASE_LANGUAGE))
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length))
    .toSorted()

/** What one area says in one language, as it is written: a sentence, or its forms. */
export const messagesOf = (language: string, area: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(SOURCES, language, `${area}.json`), 'utf8')) as Record<string, unknown>

/** Compiles when a message has changed since. Throws with the sentence of what cannot be read. */
export async function compileMessages(): Promise<void> {
  const now = sourcesHash()
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === now) return
  mkdirSync(CACHE, { recursive: true })
  const work = mkdtempSync(join(CACHE, 'messages-'))
  try {
    // Dear to load, and seldom needed.
    const { compile } = await import('@inlang/paraglide-js')
    const project = join(work, 'window.inlang')
    mkdirSync(project)
    writeFileSync(join(project, 'settings.json'), JSON.stringify(settings()))
    const fresh = join(work, 'compiled')
    await compile({
      project,
      outdir: fresh,
      strategy: ['cookie', 'preferredLanguage', 'baseLocale'],
      cookieName: 'language',
      outputStructure: 'message-modules',
      emitGitIgnore: false,
      emitPrettierIgnore: false,
      emitReadme: false,
    })
    writeFileSync(join(fresh, 'messages.d.ts'), declarations(join(fresh, 'messages')))
    bringOver(fresh, MESSAGES)
    writeFileSync(STAMP, now)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

const settings = () => ({
  baseLocale: BASE_LANGUAGE,
  locales: languages(),
  modules: [FORMAT],
  telemetry: 'off',
  'plugin.inlang.messageFormat': {
    pathPattern: areas().map((area) => join(SOURCES, '{locale}', `${area}.json`)),
  },
})

/** One line a message: what it is called, and what it must be told. */
function declarations(folder: string): string {
  const lines = filesOf(folder).flatMap((file) => {
    if (!file.endsWith('.js') || file.startsWith('_')) return []
    const text = readFileSync(join(folder, file), 'utf8')
    const inputs = /@typedef \{\{(.*)\}\} \w+Inputs/.exec(text)?.[1]?.trim() ?? ''
    const name = /^export const (\w+)/m.exec(text)?.[1]
    if (!name) throw new Error(`the message of ${file} has a name that is no name in code`)
    const told = inputs.replaceAll('NonNullable<unknown>', 'string | number')
    return [`export const ${name}: (${told ? `inputs: { ${told} }` : ''}) => string`]
  })
  return `${lines.join('\n')}\nexport * as m from './messages.js'\n`
}

/** File by file and only what differs: whoever reads meanwhile finds everything. */
function bringOver(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  const files = filesOf(from)
  for (const folder of new Set(files.map((file) => join(to, file, '..'))))
    mkdirSync(folder, { recursive: true })
  for (const file of files) {
    const text = readFileSync(join(from, file))
    const there = join(to, file)
    if (!existsSync(there) || !readFileSync(there).equals(text)) writeFileSync(there, text)
  }
  const kept = new Set(files)
  for (const file of filesOf(to)) if (!kept.has(file)) rmSync(join(to, file))
}

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted()

function sourcesHash(): string {
  const hash = createHash('sha256')
  hash.update(readFileSync(import.meta.filename))
  for (const file of filesOf(SOURCES)) hash.update(`${file}\0`).update(readFileSync(join(SOURCES, file)))
  return hash.digest('hex')
}
