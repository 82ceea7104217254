/** Decides whether the web client has to be built again, and builds it beside its place. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dir, '../..')
const dist = join(root, 'web/dist')
const stamp = join(root, '.cache/web-sources')
/** Everything the bundle is made of; a file outside of these cannot change it. */
const SOURCES = ['web', 'server/protocol']
const LOCKFILES = ['bun.lock', 'package.json']

/** Resolves to whether a build was needed. Throws with what Vite said when it fails. */
export async function buildWeb(): Promise<boolean> {
  const now = await sourcesHash()
  const built = existsSync(stamp) ? readFileSync(stamp, 'utf8') : ''
  if (built === now && existsSync(join(dist, 'assets'))) return false
  const fresh = join(root, `.cache/web-${process.pid}`)
  mkdirSync(join(root, '.cache'), { recursive: true })
  const build = Bun.spawn([process.execPath, join(root, 'web/build/build.ts'), fresh], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'production' },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const said = await Promise.all([build.stdout, build.stderr].map((stream) => new Response(stream).text()))
  if ((await build.exited) !== 0) {
    rmSync(fresh, { recursive: true, force: true })
    throw new Error(`the web client could not be built:\n${said.join('').trim()}`)
  }
  // Another Onsale may be serving the old folder: it is gone for a moment only.
  rmSync(dist, { recursive: true, force: true })
  renameSync(fresh, dist)
  writeFileSync(stamp, now)
  return true
}

async function sourcesHash(): Promise<string> {
  const hash = new Bun.CryptoHasher('sha256')
  const files = webSources()
  for (const path of [...files, ...LOCKFILES].toSorted()) {
    hash.update(`${path}\0`)
    hash.update(await Bun.file(join(root, path)).bytes())
  }
  return hash.digest('hex')
}

/** Every file whose change makes another bundle. One pattern a folder: a slash within braces matches nothing in Bun. */
export function webSources(): string[] {
  const found = SOURCES.flatMap((folder) => [
    ...new Bun.Glob(`${folder}/**/*`).scanSync({ cwd: root, onlyFiles: true }),
  ])
  return found.filter((path) => !path.startsWith('web/dist/') && !path.includes('node_modules/'))
}
