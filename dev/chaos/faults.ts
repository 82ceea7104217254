// Decides how each kind of fault is done to the stack, and undone.
import Redis from 'ioredis'
import { treeOf } from '../bench/processes.ts'
import { CLOCK_SEEN_MS } from './false-clock.ts'
import type { Fault, LinkFault } from './plan.ts'
import { SERVERS, type ChaosStack, type ProcessName } from './stack.ts'

/** A process that is being started again is waited for: a fault needs somebody to strike. */
const STRIKE_WITHIN_MS = 20_000
const POLL_MS = 20
/** Back ends of the buyers' servers; a fault may strike one that works for them. */
const SERVERS_NAME = 'onsale-server%'

/** Servers that must sell again before the stack counts as recovered. */
export function serversOf(fault: Fault): number[] {
  const one = 'server' in fault ? fault.server : 'who' in fault && fault.who !== 'worker' ? fault.who : null
  return one === null ? Array.from({ length: SERVERS }, (_, server) => server) : [one]
}

/** Strikes, lets it last, and undoes it; resolves to the moment from which recovery counts. */
export async function strike(stack: ChaosStack, fault: Fault): Promise<number> {
  switch (fault.kind) {
    case 'server-killed':
    case 'worker-killed':
    case 'redis-killed':
    case 'postgres-killed':
      process.kill(await pidOf(stack, nameOf(fault)), 'SIGKILL')
      return performance.now()
    case 'server-frozen':
    case 'worker-frozen':
    case 'redis-frozen':
    case 'postgres-frozen':
      return freeze(treeOf(await pidOf(stack, nameOf(fault))), fault.lastsMs)
    case 'redis-emptied':
      return empty(stack)
    case 'backend-killed':
    case 'backend-ended':
      return endBackend(stack, fault.kind === 'backend-killed')
    case 'disk-full':
      return fillDisk(stack, fault)
    case 'clock-jumped':
      return jump(stack, fault)
    default:
      return breakLink(stack, fault)
  }
}

function nameOf(fault: Fault): ProcessName {
  if ('server' in fault && fault.server !== null) return `server ${fault.server + 1}` as ProcessName
  return fault.kind.slice(0, fault.kind.indexOf('-')) as ProcessName
}

async function pidOf(stack: ChaosStack, name: ProcessName): Promise<number> {
  const deadline = Date.now() + STRIKE_WITHIN_MS
  for (;;) {
    const pid = stack.pidOf(name)
    if (pid !== undefined) return pid
    if (Date.now() > deadline)
      throw new Error(`${name} did not come back within ${STRIKE_WITHIN_MS / 1_000} s`)
    await Bun.sleep(POLL_MS)
  }
}

async function freeze(pids: number[], lastsMs: number): Promise<number> {
  for (const pid of pids) signal(pid, 'SIGSTOP')
  await Bun.sleep(lastsMs)
  for (const pid of pids) signal(pid, 'SIGCONT')
  return performance.now()
}

/** A process may have ended by itself meanwhile. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'ESRCH') throw fault
  }
}

async function empty(stack: ChaosStack): Promise<number> {
  await pidOf(stack, 'redis')
  const redis = new Redis(stack.redisUrl, { maxRetriesPerRequest: null })
  redis.on('error', () => {})
  try {
    await redis.flushall()
    return performance.now()
  } finally {
    redis.disconnect()
  }
}

async function endBackend(stack: ChaosStack, hard: boolean): Promise<number> {
  const postmaster = await pidOf(stack, 'postgres')
  const backends = await untilPostgres(
    () => stack.ledger.sql<{ pid: number; busy: boolean }[]>`
      select pid, state <> 'idle' as busy from pg_stat_activity
      where application_name like ${SERVERS_NAME} and pid <> pg_backend_pid()
      order by busy desc, random() limit 1`,
  )
  const [backend] = backends
  if (!backend) return performance.now()
  // In a namespace of its own Postgres counts its processes as we do: only users are mapped.
  if (hard && treeOf(postmaster).includes(backend.pid)) signal(backend.pid, 'SIGKILL')
  else await stack.ledger.sql`select pg_terminate_backend(${backend.pid})`.catch(() => {})
  return performance.now()
}

/** Postgres may still be coming back from the last fault. */
async function untilPostgres<T>(ask: () => PromiseLike<T>): Promise<T> {
  const deadline = Date.now() + STRIKE_WITHIN_MS
  for (;;) {
    try {
      return await ask()
    } catch (fault) {
      if (Date.now() > deadline) throw fault
      await Bun.sleep(POLL_MS)
    }
  }
}

async function fillDisk({ disk, ledger }: ChaosStack, fault: Fault & { kind: 'disk-full' }): Promise<number> {
  disk!.fill()
  try {
    // The next segment of the log finds no room.
    if (fault.log)
      await Promise.race([ledger.sql`select pg_switch_wal()`.catch(() => {}), Bun.sleep(fault.lastsMs)])
    await Bun.sleep(fault.lastsMs)
  } finally {
    disk!.free()
  }
  return performance.now()
}

/** The clock stays wrong for a while, and is put right in one step: two jumps. */
async function jump({ clocks }: ChaosStack, fault: Fault & { kind: 'clock-jumped' }): Promise<number> {
  const clock = clocks.get(fault.who === 'worker' ? 'worker' : (`server ${fault.who + 1}` as ProcessName))!
  clock.set(fault.seconds)
  await Bun.sleep(CLOCK_SEEN_MS + fault.lastsMs)
  clock.set(0)
  return performance.now()
}

async function breakLink({ links }: ChaosStack, fault: LinkFault): Promise<number> {
  const proxies = links[fault.pair].filter((_, i) => fault.server === null || i === fault.server)
  for (const proxy of proxies) proxy.set(fault.mode, { delayMs: fault.delayMs })
  await Bun.sleep(fault.lastsMs)
  for (const proxy of proxies) proxy.set('pass')
  return performance.now()
}
