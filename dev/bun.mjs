/**
 * Owns how a script of this repository gets its runtime: a fitting Bun and the packages of the lockfile,
 * from nothing but Node 20 and npm. Usage: `node dev/bun.mjs dev/up.ts [arguments]`.
 */
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs'
import { constants as osConstants, homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PINNED = '1.4.5'
const LEAST_NODE = 20

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const cache = join(root, '.cache')

await main()

async function main() {
  const nodeMajor = Number(process.versions.node.split('.')[0])
  if (nodeMajor < LEAST_NODE) leave(`Onsale needs Node ${LEAST_NODE} or newer; this is ${process.version}.`)
  const args = process.argv.slice(2)
  if (args.length === 0) leave('Say which script to run, for example: node dev/bun.mjs dev/up.ts')
  const environment = { ...process.env, ...cachesOfOurOwn() }
  const bun = findBun() ?? fetchBun(environment)
  environment.PATH = [dirname(bun), process.env.PATH].filter(Boolean).join(delimiter)
  installPackages(bun, environment)
  run(bun, args, environment)
}

/** 1.4.x from the pinned patch on; another minor version may behave otherwise. */
function fits(version) {
  const [major, minor, patch] = version.trim().split('-')[0].split('.').map(Number)
  const [wantMajor, wantMinor, wantPatch] = PINNED.split('.').map(Number)
  return major === wantMajor && minor === wantMinor && patch >= wantPatch
}

/** Asks the program itself, so that a broken, foreign or placeholder file counts as absent. */
function answersWell(program) {
  const asked = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: 20_000 })
  return asked.status === 0 && fits(asked.stdout)
}

/** Absolute path of a Bun that fits, or undefined. */
function findBun() {
  if (process.versions.bun && fits(process.versions.bun)) return process.execPath
  const name = process.platform === 'win32' ? 'bun.exe' : 'bun'
  const onPath = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  const candidates = [...onPath.map((folder) => join(folder, name)), cachedBun()]
  return candidates.find((program) => existsSync(program) && answersWell(program))
}

function cachedBun() {
  const name = process.platform === 'win32' ? 'bun.exe' : 'bun'
  return join(cache, `bun-${PINNED}`, 'node_modules', '@oven', packageName(), 'bin', name)
}

function packageName() {
  const arch = process.arch === 'arm64' ? 'aarch64' : process.arch
  const system = process.platform === 'win32' ? 'windows' : process.platform
  return `bun-${system}-${arch}${usesMusl() ? '-musl' : ''}`
}

function usesMusl() {
  if (process.platform !== 'linux') return false
  return process.report.getReport().header.glibcVersionRuntime === undefined
}

/**
 * Installs the platform's package itself: the `bun` package only fetches it in an install script, which
 * npm 12 does not run.
 */
function fetchBun(environment) {
  const home = join(cache, `bun-${PINNED}`)
  try {
    mkdirSync(home, { recursive: true })
  } catch (error) {
    leave(
      `Cannot write to ${home} (${error.code}): run as the owner of this folder, or install Bun ${PINNED}.`,
    )
  }
  console.error(`Fetching Bun ${PINNED} from the npm registry`)
  const flags = [
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
    '--no-update-notifier',
    '--loglevel=error',
  ]
  const install = ['install', '--prefix', home, ...flags, `@oven/${packageName()}@${PINNED}`]
  const windows = process.platform === 'win32'
  const got = spawnSync(windows ? 'npm.cmd' : 'npm', install, {
    stdio: ['ignore', 'ignore', 'inherit'],
    // npm hands its own settings down; run inside `npm start` these would speak of another project.
    env: withoutNpm(environment),
    shell: windows,
  })
  if (got.status === 0 && answersWell(cachedBun())) return cachedBun()
  leave(
    `Could not get Bun ${PINNED} for ${packageName()} (a processor without AVX2 has no build). ` +
      'Install it from https://bun.com and run: bun run up',
  )
}

function withoutNpm(environment) {
  const ours = { ...environment }
  for (const name of Object.keys(ours)) {
    if (/^npm_(config_local_prefix|config_prefix|package_|lifecycle_)/.test(name)) delete ours[name]
  }
  return ours
}

/** With a home nobody may write to, npm and Bun need their caches elsewhere. */
function cachesOfOurOwn() {
  try {
    accessSync(homedir(), constants.W_OK)
    return {}
  } catch {
    return {
      npm_config_cache: join(cache, 'npm'),
      BUN_INSTALL_CACHE_DIR: process.env.BUN_INSTALL_CACHE_DIR ?? join(cache, 'bun-install'),
    }
  }
}

/** Always asked for: when nothing is to do it costs some 30 ms, and a stamp of our own could be wrong. */
function installPackages(bun, environment) {
  if (!existsSync(join(root, 'node_modules'))) console.error('Installing packages')
  const done = spawnSync(bun, ['install', '--frozen-lockfile'], {
    cwd: root,
    env: environment,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (done.status === 0) return
  process.stderr.write(done.stdout + done.stderr)
  leave(`The packages of bun.lock could not be installed in ${root}.`)
}

/** Hands over the terminal, passes signals on and ends as the script ended. */
function run(bun, args, environment) {
  const child = spawn(bun, args, { cwd: process.cwd(), stdio: 'inherit', env: environment })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => leave(`Bun did not start: ${error.message}`))
  child.on('exit', (code, signal) => process.exit(signal ? 128 + osConstants.signals[signal] : (code ?? 1)))
}

function leave(sentence) {
  console.error(sentence)
  process.exit(1)
}
