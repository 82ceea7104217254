// Builds the window: once for every language, so that each reader loads their own alone; what is the same is one file.
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'
import { build } from 'vite'
import { BASE_LANGUAGE, compileMessages, languages, SOURCES } from './messages.ts'

const WEB = join(import.meta.dirname, '..')
/** Where somebody goes from the waiting room. */
const NEXT_SCREEN = 'src/screens/Seats.svelte'
const COMPRESSED = /\.(js|css|html|svg|webmanifest)$/
const BROTLI_SMALLEST = 11
const brotli = promisify(brotliCompress)
const STYLESHEET = /<link rel="stylesheet"[^>]*href="\/([^"]+)"[^>]*>/g

/**
 * Writes `<language>/index.html`, `<language>/room.html` and the shared `assets/` into `outDir`, which is emptied first;
 * beside each text `<name>.br`, compressed.
 * Throws what Vite said.
 */
async function buildWindow(outDir: string): Promise<void> {
  await compileMessages()
  const cache = join(WEB, '../.cache')
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, 'window-'))
  rmSync(outDir, { recursive: true, force: true })
  try {
    cpSync(join(WEB, 'public'), outDir, { recursive: true })
    // What comes first with the waiting room is the same in every language, and goes into one file.
    const first = firstModules(await buildPage(BASE_LANGUAGE, 'room', join(work, 'first')))
    for (const language of languages()) {
      const [whole, room] = [join(work, language, 'whole'), join(work, language, 'room')]
      await buildPage(language, 'whole', whole)
      await buildPage(language, 'room', room, first)
      mkdirSync(join(outDir, language), { recursive: true })
      cpSync(join(whole, 'index.html'), join(outDir, language, 'index.html'))
      writeFileSync(join(outDir, language, 'room.html'), roomPage(room, whole))
      cpSync(join(SOURCES, language, 'plain.json'), join(outDir, language, 'plain.json'))
      // Files are named after what is in them: those of two builds with one name are the same.
      for (const built of [whole, room])
        cpSync(join(built, 'assets'), join(outDir, 'assets'), { recursive: true })
    }
    await compressFiles(outDir)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

type Output = Extract<Awaited<ReturnType<typeof build>>, { output: unknown }>['output']

/** @param together modules that go into one file, whoever else uses them */
async function buildPage(
  language: string,
  page: 'whole' | 'room',
  outDir: string,
  together?: ReadonlySet<string>,
): Promise<Output> {
  process.env['WINDOW_LANGUAGE'] = language
  process.env['WINDOW_PAGE'] = page
  const groups = [{ name: 'first', test: (id: string) => together?.has(id) ?? false }]
  const built = await build({
    configFile: join(WEB, 'vite.config.ts'),
    logLevel: 'warn',
    build: {
      outDir,
      emptyOutDir: true,
      ...(together ? { rolldownOptions: { output: { codeSplitting: { groups } } } } : {}),
    },
  })
  if (!('output' in built)) throw new Error('one build, one output')
  return built.output
}

/** Every module that the page cannot start without. */
function firstModules(output: Output): Set<string> {
  const chunks = new Map(
    output.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file] as const] : [])),
  )
  const seen = new Set<string>()
  const modules = new Set<string>()
  const take = (name: string) => {
    const chunk = chunks.get(name)
    if (!chunk || seen.has(name)) return
    seen.add(name)
    for (const id of chunk.moduleIds) modules.add(id)
    for (const imported of chunk.imports) take(imported)
  }
  for (const { isEntry, fileName } of chunks.values()) if (isEntry) take(fileName)
  return modules
}

/** The waiting room's page: its first styles come with the first answer, and it knows what will be wanted next. */
function roomPage(room: string, whole: string): string {
  const page = readFileSync(join(room, 'room.html'), 'utf8')
  const inlined = new Set<string>()
  const styled = page.replaceAll(STYLESHEET, (_, path: string) => {
    inlined.add(path)
    return `<style>${readFileSync(join(room, path), 'utf8').trim()}</style>`
  })
  const later = readdirSync(join(room, 'assets'))
    .map((name) => `assets/${name}`)
    .filter((path) => path.endsWith('.css') && !inlined.has(path))
    .toSorted()
  const style = later.map((path) => readFileSync(join(room, path), 'utf8').trim()).join('')
  for (const path of [...inlined, ...later]) rmSync(join(room, path))
  const laterPath = `assets/later-${createHash('sha256').update(style).digest('base64url').slice(0, 8)}.css`
  writeFileSync(join(room, laterPath), style)
  const metas = [
    `<meta name="later" content="/${laterPath}" />`,
    `<meta name="next" content="${nextFiles(whole).join(' ')}" />`,
  ]
  return styled.replace('</head>', `${metas.join('')}\n  </head>`)
}

interface Chunk {
  file: string
  imports?: string[]
  css?: string[]
}

/** Beside each text its smallest form, which takes too long to make while somebody waits. */
async function compressFiles(outDir: string): Promise<void> {
  for (const path of readdirSync(outDir, { recursive: true, encoding: 'utf8' })) {
    if (!COMPRESSED.test(path)) continue
    const text = readFileSync(join(outDir, path))
    const small = await brotli(text, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_SMALLEST } })
    if (small.length < text.length) writeFileSync(join(outDir, `${path}.br`), small)
  }
}

/** Everything the next screen needs, to be fetched while there is time. */
function nextFiles(whole: string): string[] {
  const path = join(whole, '.vite/manifest.json')
  if (!existsSync(path)) throw new Error('the window was built without its manifest')
  const chunks = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Chunk>
  const seen = new Set<string>()
  const files = new Set<string>()
  const take = (key: string) => {
    const chunk = chunks[key]
    if (!chunk || seen.has(key)) return
    seen.add(key)
    for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(`/${file}`)
    for (const imported of chunk.imports ?? []) take(imported)
  }
  take('index.html')
  take(NEXT_SCREEN)
  return [...files]
}

if (import.meta.main) {
  process.env['NODE_ENV'] ??= 'production'
  await buildWindow(resolve(process.argv[2] ?? join(WEB, 'dist')))
}
