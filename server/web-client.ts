// Serves the built web client from memory, in the smallest form its reader takes: hashed assets for ever, the page itself
// always asked about and in the reader's language.
import { Glob } from 'bun'
import { join } from 'node:path'
import { accepts, CODINGS, hasOneOf, type Coding } from './negotiation.ts'
import { chooseLanguage } from './window-language.ts'

const DIST = join(import.meta.dir, '../web/dist')
const ASSET_MAX_AGE_SECONDS = 31_536_000
const FILES_MAX = 2_000
const HASHED = /^\/assets\//
const PAGE = /^\/(\w+)\/(index|room)\.html$/
/** A page of its own, so small that it is there first. */
const ROOM = /^\/events\/[^/]+\/room$/
const INLINE_STYLE = /<style>([\s\S]*?)<\/style>/g
/** Sent to whoever's language is not there. */
const BASE_LANGUAGE = 'en'
const COMPRESSIBLE = /^(text\/|application\/(javascript|json|manifest)|image\/svg)/
const GZIP_FROM_BYTES = 1_024
/** The build leaves the smallest form beside its file, under the same name with this ending. */
const BROTLI_ENDING = /\.br$/

type Bytes = Uint8Array<ArrayBuffer>

interface WebFile {
  plain: Bytes
  compressed: Partial<Record<Coding, Bytes>>
  /** Of its content; each form of it adds its own ending. */
  tag: string
  headers: Record<string, string>
}

interface Page extends WebFile {
  policy: string
}
/** What one language has: the window, and the waiting room alone. */
type Pages = Record<'index' | 'room', Page | undefined>

/** Answers every path that is not the API's: a file of the client, or its page. */
export async function webClient(publicUrl: string): Promise<(request: Request, path: string) => Response> {
  const files = await loadFiles()
  const pages = takePages(files, publicUrl)
  const spoken = [...pages.keys()].toSorted(
    (a, b) => Number(b === BASE_LANGUAGE) - Number(a === BASE_LANGUAGE),
  )

  const pageFor = (request: Request, path: string): Page | undefined => {
    if (/\.\w+$/.test(path)) return undefined
    const inLanguage = pages.get(chooseLanguage(request.headers, spoken))
    return (ROOM.test(path) ? inLanguage?.room : undefined) ?? inLanguage?.index
  }

  return (request, path) => {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return new Response('Method Not Allowed', { status: 405 })
    const asset = files.get(path)
    const page = asset ? undefined : pageFor(request, path)
    const file = asset ?? page
    if (!file) return new Response('Not Found', { status: 404 })
    const { compressed, plain, tag } = file
    const coding = CODINGS.find((each) => compressed[each] && accepts(request, each))
    const headers = {
      ...file.headers,
      etag: `"${tag}${coding ? `-${coding}` : ''}"`,
      ...(page ? { 'content-security-policy': page.policy } : {}),
    }
    if (hasOneOf(request, [`"${tag}"`, ...CODINGS.map((each) => `"${tag}-${each}"`)]))
      return new Response(null, { status: 304, headers })
    const body = (coding && compressed[coding]) ?? plain
    return new Response(body, { headers: { ...headers, ...(coding ? { 'content-encoding': coding } : {}) } })
  }
}

/** The pages of each language, which are no files of their own address. */
function takePages(files: Map<string, WebFile>, publicUrl: string): Map<string, Pages> {
  const pages = new Map<string, Pages>()
  for (const [path, file] of files) {
    const [, language, name] = PAGE.exec(path) ?? []
    if (language === undefined) continue
    files.delete(path)
    const vary = 'accept-encoding, accept-language, cookie'
    const headers = { ...file.headers, vary, 'content-language': language }
    const policy = contentSecurityPolicy(publicUrl, new TextDecoder().decode(file.plain))
    const found = pages.get(language) ?? { index: undefined, room: undefined }
    pages.set(language, { ...found, [name as 'index' | 'room']: { ...file, headers, policy } })
  }
  return pages
}

async function loadFiles(): Promise<Map<string, WebFile>> {
  const files = new Map<string, WebFile>()
  const paths = await Array.fromAsync(new Glob('**/*').scan({ cwd: DIST })).catch(() => [] as string[])
  const found = new Set(paths.slice(0, FILES_MAX))
  for (const path of found) {
    if (BROTLI_ENDING.test(path)) continue
    const file = Bun.file(join(DIST, path))
    const plain = await file.bytes()
    const zip = COMPRESSIBLE.test(file.type) && plain.length >= GZIP_FROM_BYTES
    const brotli = `${path}.br`
    files.set(`/${path}`, {
      plain,
      compressed: {
        ...(zip ? { gzip: Bun.gzipSync(plain) } : {}),
        ...(found.has(brotli) ? { br: await Bun.file(join(DIST, brotli)).bytes() } : {}),
      },
      tag: Bun.hash(plain).toString(36),
      headers: {
        'content-type': file.type,
        vary: 'accept-encoding',
        'cache-control': HASHED.test(`/${path}`)
          ? `public, max-age=${ASSET_MAX_AGE_SECONDS}, immutable`
          : 'no-cache',
      },
    })
  }
  return files
}

/** Styles that stand in the page itself are allowed by what they are, and no others. */
function contentSecurityPolicy(publicUrl: string, page: string): string {
  const socket = publicUrl.replace(/^http/, 'ws')
  const styles = [...page.matchAll(INLINE_STYLE)].map(
    ([, style = '']) => ` 'sha256-${new Bun.CryptoHasher('sha256').update(style).digest('base64')}'`,
  )
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self'${styles.join('')}`,
    "img-src 'self' data: blob:",
    "font-src 'self'",
    `connect-src 'self' ${socket}`,
    "manifest-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
}
