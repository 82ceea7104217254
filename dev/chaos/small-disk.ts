// Owns a disk of its own for Postgres, small enough to be filled: a tmpfs where this process may mount one.
import { mkdirSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'

/** Room for the cluster, its log and the bookings of the longest run. */
const DISK_BYTES = 1 << 30
const BALLAST = 'ballast'
/** Left when it is filled: less than a page, so that nothing can grow. */
const LEFT_BYTES = 4_096
const FILL_TRIES_MAX = 20

export interface SmallDisk {
  dir: string
  fill(): void
  free(): void
  unmount(): void
}

/** Mounts at `dir`; a sentence saying why not where that is forbidden. */
export function mountSmallDisk(dir: string): SmallDisk | string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'mounting a small disk needs root on Linux'
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const mounted = run(['mount', '-t', 'tmpfs', '-o', `size=${DISK_BYTES},mode=0700`, 'tmpfs', dir])
  if (mounted !== '') return `no small disk can be mounted here: ${mounted}`
  const ballast = join(dir, BALLAST)
  return {
    dir,
    fill() {
      // Postgres goes on writing: what was free a moment ago may be less by now.
      let said = ''
      for (let tried = 0; tried < FILL_TRIES_MAX; tried++) {
        const { bavail, bsize } = statfsSync(dir)
        const bytes = Number(bavail) * Number(bsize) - LEFT_BYTES
        if (bytes <= 0) return
        said = run(['fallocate', '-l', String(bytes), ballast])
        if (said === '') return
        rmSync(ballast, { force: true })
      }
      throw new Error(`the small disk could not be filled: ${said}`)
    },
    free: () => rmSync(ballast, { force: true }),
    unmount: () => void run(['umount', '--lazy', dir]),
  }
}

/** '' when it went well, else what was said. */
function run(command: string[]): string {
  try {
    const { exitCode, stderr } = Bun.spawnSync(command, { stderr: 'pipe' })
    return exitCode === 0 ? '' : stderr.toString().trim() || `exit code ${exitCode}`
  } catch (fault) {
    return fault instanceof Error ? fault.message : String(fault)
  }
}
