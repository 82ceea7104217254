// Decides which k6 runs the scenarios: one on the PATH, in Go's folder or in `.cache`, else one built by Go, else none.
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** TypeScript without a bundler, and sockets and HTTP on one event loop. */
const LEAST = [1, 0] as const
/** Built when none is found. */
const BUILT = 'v1.8.1'
const ASK_MS = 10_000
const BUILD_MS = 600_000

export interface K6 {
  program: string
  version: string
}
export type Found = { ok: true; k6: K6 } | { ok: false; problem: string }

export interface Places {
  env: Record<string, string | undefined>
  /** Where one of our own is built. */
  cacheDir: string
  /** Where Go's own installer puts it, which is seldom on a PATH; null where that is not to be looked at. */
  goFolder?: string | null
  /** Told that a build begins, which takes minutes. Without it, nothing is built. */
  say?: (sentence: string) => void
}

/** The first that fits. Never throws; `problem` is one sentence for people. */
export async function findK6({ env, cacheDir, goFolder = '/usr/local/go/bin', say }: Places): Promise<Found> {
  const own = join(cacheDir, 'k6')
  const folders = [...onPath(env), ...goFolders(env), own]
  const old: K6[] = []
  for (const program of new Set(folders.map((folder) => join(folder, 'k6'))).values()) {
    const version = existsSync(program) ? await versionOf(program) : null
    if (version !== null && fits(version)) return { ok: true, k6: { program, version } }
    if (version !== null) old.push({ program, version })
  }
  const go = [...onPath(env), ...(goFolder === null ? [] : [goFolder])]
    .map((folder) => join(folder, 'go'))
    .find((program) => existsSync(program))
  if (go === undefined || !say) return { ok: false, problem: `${lack(old)}: ${HOW}` }
  say(`${lack(old)}: building k6 ${BUILT} with ${go} into ${own}, which takes a few minutes once`)
  return build(go, own, env)
}

const HOW =
  'get one from https://grafana.com/docs/k6/latest/set-up/install-k6/, or install Go and run this again'

function lack([first]: K6[]): string {
  const least = LEAST.join('.')
  return first === undefined
    ? `k6 ${least} or newer is needed and none was found`
    : `k6 ${least} or newer is needed and ${first.program} is ${first.version}`
}

const onPath = ({ PATH = '' }: Places['env']) => PATH.split(delimiter).filter(Boolean)

function goFolders({ GOBIN, GOPATH, HOME = homedir() }: Places['env']): string[] {
  const paths = GOPATH ? GOPATH.split(delimiter) : [join(HOME, 'go')]
  return [...(GOBIN ? [GOBIN] : []), ...paths.map((path) => join(path, 'bin'))]
}

/** As the program says itself; null when it is none that answers. */
async function versionOf(program: string): Promise<string | null> {
  try {
    const asked = Bun.spawn([program, 'version'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: ASK_MS,
      env: { ...process.env, ...K6_ALONE },
    })
    const said = await new Response(asked.stdout).text()
    return /\bk6 v?(\d+\.\d+\.\d+\S*)/.exec(said)?.[1] ?? null
  } catch {
    return null
  }
}

/** Neither reports its use nor fetches anything. */
export const K6_ALONE = { K6_NO_USAGE_REPORT: 'true', K6_AUTO_EXTENSION_RESOLUTION: 'false' }

function fits(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])
}

async function build(go: string, folder: string, env: Places['env']): Promise<Found> {
  mkdirSync(folder, { recursive: true })
  const building = Bun.spawn([go, 'install', `go.k6.io/k6@${BUILT}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: BUILD_MS,
    env: { ...env, GOBIN: folder },
  })
  const said = await new Response(building.stderr).text()
  const program = join(folder, 'k6')
  const version = (await building.exited) === 0 ? await versionOf(program) : null
  if (version !== null) return { ok: true, k6: { program, version } }
  const why = said.trim().split('\n').at(-1) || 'it gave no reason'
  return { ok: false, problem: `k6 ${BUILT} could not be built (${why}): ${HOW}` }
}
