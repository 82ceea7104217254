// Owns the clocks of single processes: libfaketime in front of them, steered by a file each.
//
// Nothing of the product knows of it. Redis does not run under libfaketime; its clock is left as it is.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const LIBRARY = 'libfaketime.so.1'
const INSTALLED = [
  '/usr/lib/x86_64-linux-gnu/faketime',
  '/usr/lib/aarch64-linux-gnu/faketime',
  '/usr/lib/faketime',
]
/** The library looks at its file this often: a jump comes at most so late. */
const LOOKS_EVERY_SECONDS = 1

export interface FalseClock {
  /** What a process must be started with, for its clock to be ours. */
  env: Record<string, string>
  /** The process' wall clock runs so far ahead; 0 is the truth. */
  set(seconds: number): void
}

/** A clock steered by a file in `dir`, with the library of the machine or of its package archive; or why there is none. */
export function findFalseClocks(cacheDir: string): { of(dir: string, name: string): FalseClock } | string {
  if (process.platform !== 'linux') return 'clocks of single processes can be set on Linux only'
  const library = installed() ?? unpacked(cacheDir) ?? fetch(cacheDir)
  if (!library) return 'libfaketime is neither installed nor in the package archive here'
  return {
    of(dir, name) {
      const file = join(dir, `clock-${name.replaceAll(' ', '-')}`)
      const set = (seconds: number) => {
        writeFileSync(`${file}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`)
        renameSync(`${file}.new`, file)
      }
      set(0)
      const env = {
        LD_PRELOAD: library,
        FAKETIME_TIMESTAMP_FILE: file,
        FAKETIME_CACHE_DURATION: String(LOOKS_EVERY_SECONDS),
        // Durations are measured on the other clock, which no operator sets.
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        DONT_FAKE_MONOTONIC: '1',
      }
      return { env, set }
    },
  }
}

export const CLOCK_SEEN_MS = LOOKS_EVERY_SECONDS * 1_000

const installed = () => INSTALLED.map((dir) => join(dir, LIBRARY)).find((path) => existsSync(path))

function unpacked(cacheDir: string): string | undefined {
  const libraries = join(cacheDir, 'faketime', 'usr', 'lib')
  if (!existsSync(libraries)) return undefined
  return readdirSync(libraries)
    .map((name) => join(libraries, name, 'faketime', LIBRARY))
    .find((path) => existsSync(path))
}

/** Debian's and Ubuntu's package, unpacked into the cache: needs no root and changes nothing on the machine. */
function fetch(cacheDir: string): string | undefined {
  if (!Bun.which('apt-get') || !Bun.which('dpkg-deb')) return undefined
  const downloads = join(cacheDir, `faketime-debs-${process.pid}`)
  try {
    mkdirSync(downloads, { recursive: true })
    Bun.spawnSync(['apt-get', 'download', 'libfaketime'], {
      cwd: downloads,
      stdout: 'ignore',
      stderr: 'ignore',
    })
    for (const name of readdirSync(downloads))
      Bun.spawnSync(['dpkg-deb', '-x', join(downloads, name), join(cacheDir, 'faketime')])
    return unpacked(cacheDir)
  } finally {
    rmSync(downloads, { recursive: true, force: true })
  }
}
