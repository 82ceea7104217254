/** Decides which Redis program the embedded store runs: the machine's own, a cached one, or a fetched one. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const NAMES = ['redis-server', 'valkey-server']
/** Where package managers put it although an ordinary PATH may not say so. */
const MORE_FOLDERS = ['/opt/homebrew/bin', '/usr/local/bin', '/usr/bin', '/usr/sbin']
/** redis-server's package holds a link into redis-tools; the rest are the libraries it loads. */
const DEBIAN_PACKAGES = ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1', 'libatomic1']

export interface RedisProgram {
  path: string
  env: Record<string, string>
  /** For a line to the person at the terminal. */
  origin: string
}

/** Looks in order of cost; throws with one sentence when there is no way to a Redis here. */
export function findRedisProgram(cacheDir: string): RedisProgram {
  const unpacked = join(cacheDir, 'redis')
  const found = installed() ?? cached(unpacked) ?? fetchDebian(cacheDir, unpacked)
  if (found) return found
  throw new Error(
    'No Redis here and no way to fetch one: install it (`brew install redis` or `apt install redis-server`), ' +
      'or set REDIS_URL',
  )
}

function installed(): RedisProgram | undefined {
  const path = [process.env.PATH ?? '', ...MORE_FOLDERS].join(delimiter)
  for (const name of NAMES) {
    const program = Bun.which(name, { PATH: path })
    if (program && runs(program, {})) return { path: program, env: {}, origin: program }
  }
  return undefined
}

function cached(unpacked: string): RedisProgram | undefined {
  const program = join(unpacked, 'usr', 'bin', 'redis-server')
  if (!existsSync(program)) return undefined
  const libraries = join(unpacked, 'usr', 'lib')
  const folders = existsSync(libraries)
    ? readdirSync(libraries).filter((name) => name.includes('-linux-gnu'))
    : []
  const env = { LD_LIBRARY_PATH: folders.map((name) => join(libraries, name)).join(':') }
  return runs(program, env) ? { path: program, env, origin: 'the Debian package' } : undefined
}

/** Debian's and Ubuntu's package, unpacked into the cache: needs no root and changes nothing on the machine. */
function fetchDebian(cacheDir: string, unpacked: string): RedisProgram | undefined {
  if (!Bun.which('apt-get') || !Bun.which('dpkg-deb')) return undefined
  const downloads = join(cacheDir, `redis-debs-${process.pid}`)
  const fresh = `${unpacked}-${process.pid}`
  try {
    mkdirSync(downloads, { recursive: true })
    mkdirSync(fresh, { recursive: true })
    console.error('Fetching Redis from the package archive')
    if (!download(downloads) && !(refreshLists() && download(downloads))) return undefined
    for (const name of readdirSync(downloads)) Bun.spawnSync(['dpkg-deb', '-x', join(downloads, name), fresh])
    if (!existsSync(unpacked)) renameSync(fresh, unpacked)
    return cached(unpacked)
  } finally {
    rmSync(downloads, { recursive: true, force: true })
    rmSync(fresh, { recursive: true, force: true })
  }
}

function download(folder: string): boolean {
  return quietly(['apt-get', 'download', ...DEBIAN_PACKAGES], folder)
}

/** Only root may; on a machine that never asked its archive, nothing can be found without. */
function refreshLists(): boolean {
  return process.getuid?.() === 0 && quietly(['apt-get', 'update', '-qq'])
}

function quietly(command: string[], cwd = '.'): boolean {
  return Bun.spawnSync(command, { cwd, stdout: 'ignore', stderr: 'ignore' }).exitCode === 0
}

function runs(program: string, env: Record<string, string>): boolean {
  const asked = Bun.spawnSync([program, '--version'], {
    env: { ...process.env, ...env },
    stdout: 'ignore',
    stderr: 'ignore',
  })
  return asked.exitCode === 0
}
