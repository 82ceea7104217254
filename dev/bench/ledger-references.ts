// Owns the references of `bench ledger`: what pgbench gets out of the same Postgres, and a bare Bun.serve out of the same machine.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { freePort } from '../stores/process.ts'
import { loadHttp, requestBytes } from './http-load.ts'

/** The number of clients at which the five statements are fastest on two cores. */
export const CLIENTS = 32
const THREADS = 2
const SEATS = 1_000_000
const DATABASE = 'bench_reference'
const DEBIAN_BINARIES = '/usr/lib/postgresql'

/** One seat read and locked, moved by its version, and booked; each line is a round trip. */
const FIVE = `\\set n random(1, ${SEATS})
begin;
select version from seats where n = :n for no key update \\gset
update seats set status = 'RESERVED', version = version + 1 where n = :n and version = :version;
insert into bookings (id, n) values (gen_random_uuid(), :n);
commit;
`
const ONE = `\\set n random(1, ${SEATS})
with moved as (update seats set status = 'RESERVED', version = version + 1 where n = :n returning n)
insert into bookings (id, n) select gen_random_uuid(), n from moved;
`

export interface Reference {
  /** How it was measured, in words. */
  by: string
  /** Reservations a second. */
  five(seconds: number): Promise<number>
  one(seconds: number): Promise<number>
  close(): Promise<void>
}

/** A scratch database on the server of `url`, away again with `close`. */
export async function openReference(url: string): Promise<Reference> {
  const server = postgres(url, { max: 1, onnotice: () => {} })
  await server.unsafe(`drop database if exists ${DATABASE}`)
  await server.unsafe(`create database ${DATABASE}`)
  const scratch = new URL(url)
  scratch.pathname = `/${DATABASE}`
  const sql = postgres(scratch.href, { max: CLIENTS, onnotice: () => {} })
  await sql`create table seats (n int primary key, status text not null, version int not null)`
  await sql`create table bookings (id uuid primary key, n int not null, at timestamptz not null default now())`
  await sql`insert into seats select n, 'AVAILABLE', 0 from generate_series(1, ${SEATS}::int) n`
  await sql`vacuum analyze seats`
  const binary = findPgbench()
  const dir = mkdtempSync(join(tmpdir(), 'onsale-pgbench-'))
  const run = async (script: string, seconds: number) => {
    const path = join(dir, 'script.sql')
    await Bun.write(path, script)
    return pgbench(binary!, scratch, path, seconds)
  }
  return {
    by: binary
      ? `pgbench, prepared, ${CLIENTS} clients`
      : `bare driver, ${CLIENTS} connections: no pgbench here`,
    five: (seconds) => (binary ? run(FIVE, seconds) : byDriver(seconds, () => reserveInFive(sql))),
    one: (seconds) => (binary ? run(ONE, seconds) : byDriver(seconds, () => reserveInOne(sql))),
    async close() {
      await sql.end()
      await server.unsafe(`drop database ${DATABASE} with (force)`)
      await server.end()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function findPgbench(): string | null {
  const found = Bun.which('pgbench')
  if (found) return found
  const versions = existsSync(DEBIAN_BINARIES) ? readdirSync(DEBIAN_BINARIES) : []
  const paths = versions.map((version) => join(DEBIAN_BINARIES, version, 'bin/pgbench'))
  return paths.findLast((path) => existsSync(path)) ?? null
}

async function pgbench(binary: string, url: URL, script: string, seconds: number): Promise<number> {
  const { username, password, hostname, port, pathname } = url
  const options = [
    '-n',
    '-M',
    'prepared',
    '-c',
    String(CLIENTS),
    '-j',
    String(THREADS),
    '-T',
    String(seconds),
  ]
  const bench = Bun.spawn([binary, ...options, '-f', script, pathname.slice(1)], {
    env: { ...process.env, PGHOST: hostname, PGPORT: port, PGUSER: username, PGPASSWORD: password },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [said, complained] = await Promise.all([
    new Response(bench.stdout).text(),
    new Response(bench.stderr).text(),
  ])
  const rate = Number(/tps = ([\d.]+)/.exec(said)?.[1])
  if (!(rate > 0)) throw new Error(`pgbench did not run: ${complained.trim().split('\n').at(-1)}`)
  return rate
}

const anySeat = () => 1 + Math.floor(Math.random() * SEATS)

async function reserveInFive(sql: postgres.Sql): Promise<void> {
  const n = anySeat()
  await sql.begin(async (tx) => {
    const [seat] = await tx`select version from seats where n = ${n} for no key update`
    await tx`update seats set status = 'RESERVED', version = version + 1 where n = ${n} and version = ${seat!.version}`
    await tx`insert into bookings (id, n) values (gen_random_uuid(), ${n})`
  })
}

async function reserveInOne(sql: postgres.Sql): Promise<void> {
  await sql`with moved as (update seats set status = 'RESERVED', version = version + 1 where n = ${anySeat()} returning n)
    insert into bookings (id, n) select gen_random_uuid(), n from moved`
}

/** How often a second `work` is done by CLIENTS at a time. */
export async function byDriver(
  seconds: number,
  work: () => Promise<unknown>,
  clients = CLIENTS,
): Promise<number> {
  const began = performance.now()
  const until = began + seconds * 1_000
  let done = 0
  const client = async () => {
    for (; performance.now() < until; done++) await work()
  }
  await Promise.all(Array.from({ length: clients }, client))
  return (done * 1_000) / (performance.now() - began)
}

/** Answers a second of as many Bun.serve as there are servers, each a process that does nothing but send `body`. */
export async function bareAnswers(
  bodyBytes: number,
  { connections, seconds, servers }: { connections: number; seconds: number; servers: number },
): Promise<number> {
  const port = await freePort()
  const script = join(import.meta.dir, 'ledger-bare-server.ts')
  const bare = Array.from({ length: servers }, () =>
    Bun.spawn([process.execPath, script, String(port), String(bodyBytes)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  )
  try {
    await Promise.all(bare.map(({ stdout }) => stdout.getReader().read()))
    const request = requestBytes('GET', '/')
    const load = { port, connections, next: () => request }
    await loadHttp({ ...load, seconds: seconds / 2 })
    const { latencies, seconds: took } = await loadHttp({ ...load, seconds })
    return latencies.length / took
  } finally {
    for (const one of bare) one.kill()
    await Promise.all(bare.map(({ exited }) => exited))
  }
}
