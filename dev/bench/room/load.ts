// Decides the load of `bench room`: how many waiters, over how many processes, for how long; and whether this machine can.
import { parseArgs } from 'node:util'
import { availableBytes, openFilesMax } from '../processes.ts'

export interface Load {
  full: boolean
  waiters: number
  minutes: number
  servers: number
  generators: number
}

/** Sockets a process keeps free for stores, files and those who come back. */
const FILES_SPARE = 1_000
/** Both ends of a socket in the kernel, and what each end's process keeps of it. */
const BYTES_A_SOCKET = 20 * 1_024
const SERVERS_MAX = 8

/** Throws with one sentence when the options are wrong or the machine is too small. */
export function readLoad(args: string[]): Load {
  const number = { type: 'string' } as const
  const { values } = parseArgs({
    args,
    options: {
      full: { type: 'boolean', default: false },
      waiters: number,
      minutes: number,
      servers: number,
    },
  })
  const full = values.full
  const waiters = positive('--waiters', values.waiters ?? (full ? '100000' : '50000'))
  const files = openFilesMax() - FILES_SPARE
  const enough = Math.ceil(waiters / files)
  const servers = positive('--servers', values.servers ?? String(Math.max(2, spread(waiters, files))))
  if (!(servers >= enough && servers <= SERVERS_MAX))
    throw new Error(
      `${waiters} waiters need ${enough} to ${SERVERS_MAX} server processes here: one may open ${files} files`,
    )
  if (waiters * BYTES_A_SOCKET > availableBytes())
    throw new Error(`${waiters} waiters need ${(waiters * BYTES_A_SOCKET) >> 20} MB of free memory`)
  const minutes = positive('--minutes', values.minutes ?? (full ? '10' : '0.5'))
  return { full, waiters, minutes, servers, generators: enough }
}

/** The kernel spreads connections by chance, so each process gets room for a tenth more than its share. */
const spread = (waiters: number, files: number) => Math.ceil((waiters * 1.1) / files)

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`${name} must be a number above 0`)
  return value
}
