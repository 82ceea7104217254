/** Owns how a command runs inside a folder as if it were a machine: mounts of its own that go with it, and no other environment. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

const OUTPUT_SHOWN = 2_000

export interface Inside {
  root: string
  cwd: string
  env: Record<string, string>
  command: string
  /** Without one, root. */
  user?: string
  /** Nothing but /tmp can be written. */
  readOnly?: boolean
}

/** What a container is given of the world beside its own files. */
const MOUNTS =
  'mount --bind "$1" "$1" && mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount -t tmpfs tmpfs "$1/tmp"'
const READ_ONLY = 'mount -o remount,ro,bind "$1"'

/** The words of a process that becomes the command. */
function words({ root, cwd, env, command, user, readOnly }: Inside): string[] {
  for (const folder of ['proc', 'dev', 'tmp']) mkdirSync(join(root, folder), { recursive: true })
  const given = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/tmp', ...env }
  const pairs = Object.entries(given).map(([name, value]) => `${name}=${value}`)
  const enter = ['chroot', ...(user ? [`--userspec=${user}`] : []), root]
  const mounts = readOnly ? `${MOUNTS} && ${READ_ONLY}` : MOUNTS
  const apart = ['unshare', '--mount', '--propagation', 'private', '--']
  const mount = ['sh', '-c', `${mounts} && shift && exec "$@"`, 'sh', root]
  return [...apart, ...mount, ...enter, 'env', '-i', ...pairs, 'sh', '-c', `cd ${cwd} && ${command}`]
}

/** What it said; throws with the end of that when it failed. */
export async function run(command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  if ((await child.exited) !== 0)
    throw new Error(`${command.at(-1)} failed:\n${said.join('').slice(-OUTPUT_SHOWN)}`)
  return said.join('')
}

export const chroot = Object.assign((inside: Inside) => run(words(inside)), { words })
