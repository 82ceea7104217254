// The window's files come in the smallest form their reader takes, and not at all to whoever has them.
import { beforeAll, expect, test } from 'bun:test'
import { brotliDecompressSync } from 'node:zlib'
import { buildWeb } from '../../dev/up/web-build.ts'
import { webClient } from '../../server/web-client.ts'

const BUILD_MS = 180_000
const ORIGIN = 'http://localhost:3000'
const ROOM = '/events/0197f2b0-0000-7000-8000-000000000001/room'

let answer: Awaited<ReturnType<typeof webClient>>
beforeAll(async () => {
  await buildWeb()
  answer = await webClient(ORIGIN)
}, BUILD_MS)

const ask = (path: string, headers: Record<string, string> = {}) =>
  answer(new Request(`${ORIGIN}${path}`, { headers }), path)
const bytes = async (response: Response) => new Uint8Array(await response.arrayBuffer())

async function firstScript(): Promise<string> {
  const page = await ask(ROOM).text()
  return /<script[^>]* src="([^"]+)"/.exec(page)![1]!
}

test.each([
  ['gzip, deflate, br, zstd', 'br'],
  ['gzip, deflate', 'gzip'],
  ['br;q=0, gzip;q=0.5', 'gzip'],
  ['gzip;q=0, *', 'br'],
  ['x-gzip, bread', null],
  ['*;q=0', null],
  ['', null],
])('to "%s" a script and a page are sent as %s', async (accepted, coding) => {
  for (const path of [ROOM, await firstScript()]) {
    const plain = await bytes(ask(path))
    const sent = ask(path, { 'accept-encoding': accepted })
    expect([path, sent.headers.get('content-encoding')]).toEqual([path, coding])
    expect(sent.headers.get('vary')).toContain('accept-encoding')
    const body = await bytes(sent)
    const read =
      coding === 'br' ? brotliDecompressSync(body) : coding === 'gzip' ? Bun.gunzipSync(body) : body
    expect(Buffer.compare(read, plain)).toBe(0)
    if (coding) expect(body.length).toBeLessThan(plain.length / 2)
  }
})

test('whoever has a page is told so in a few bytes, in whatever form it came', async () => {
  const first = ask(ROOM, { 'accept-encoding': 'br' })
  const tag = first.headers.get('etag')!
  for (const known of [tag, `W/${tag}`, `"other", ${tag}`]) {
    const again = ask(ROOM, { 'accept-encoding': 'gzip', 'if-none-match': known })
    expect(again.status).toBe(304)
    expect((await bytes(again)).length).toBe(0)
    expect(again.headers.get('content-security-policy')).toBe(first.headers.get('content-security-policy'))
  }
  expect(ask(ROOM, { 'if-none-match': '"other"' }).status).toBe(200)
})

test('each form has a tag of its own, and each language too', () => {
  const tags = ['br', 'gzip', 'identity'].flatMap((coding) =>
    ['en', 'id'].map((language) => {
      const sent = ask(ROOM, { 'accept-encoding': coding, 'accept-language': language })
      expect(sent.headers.get('content-language')).toBe(language)
      return sent.headers.get('etag')
    }),
  )
  expect(new Set(tags).size).toBe(6)
})

test('a compressed form is no file of its own', async () => {
  expect(ask(`${await firstScript()}.br`).status).toBe(404)
})
