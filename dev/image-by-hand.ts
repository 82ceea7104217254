/** Owns the proof of the image without an engine: the Dockerfile's own steps on a bare Debian, then a server that serves. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buildImage, type Image } from './image/build.ts'
import { chroot, run } from './image/chroot.ts'
import { freePort } from './stores/process.ts'
import { startPostgres } from './stores/postgres.ts'
import { startRedis } from './stores/redis.ts'

const ROOT = join(import.meta.dir, '..')
const WORK = join(ROOT, '.cache/image-by-hand')
const DEBIAN = 'bookworm'
const READY_WITHIN_MS = 30_000
const STOP_WITHIN_MS = 15_000
const POLL_MS = 100
/** oven/bun's user. */
const BUN_ID = 1000

process.exit(await main())

async function main(): Promise<number> {
  const missing = ['debootstrap', 'chroot', 'unshare'].filter((name) => Bun.which(name) === null)
  if (process.getuid?.() !== 0) return leave('This needs root: a chroot is made.')
  if (missing.length > 0)
    return leave(`This needs ${missing.join(' and ')}: apt-get install ${missing.join(' ')}`)
  const began = performance.now()
  const bare = join(WORK, 'debian')
  const prepared = process.argv.indexOf('--debian')
  const base = prepared > 0 ? process.argv[prepared + 1]! : await makeDebian(bare)
  const image = await buildImage({
    dockerfile: join(ROOT, 'Dockerfile'),
    context: ROOT,
    work: WORK,
    prepare: (root, name) => becomeBunImage(base, root, name),
    say: (step, seconds) => console.log(`${seconds.toFixed(1).padStart(7)} s  ${step}`),
  })
  await serve(image)
  console.log(`Everything took ${((performance.now() - began) / 1_000).toFixed(0)} s`)
  rmSync(join(WORK, 'stages'), { recursive: true, force: true })
  return 0
}

function leave(sentence: string): number {
  console.error(sentence)
  return 1
}

/** Made once and kept. */
async function makeDebian(root: string): Promise<string> {
  if (existsSync(join(root, 'etc/os-release'))) return root
  console.log(`A bare Debian ${DEBIAN} is made in ${root}`)
  mkdirSync(dirname(root), { recursive: true })
  const half = `${root}.half`
  rmSync(half, { recursive: true, force: true })
  await run(['debootstrap', '--variant=minbase', DEBIAN, half])
  await run(['mv', half, root])
  return root
}

/** What `oven/bun:<version>-slim` is: Debian, the program, and a user of its name. */
async function becomeBunImage(base: string, root: string, name: string): Promise<void> {
  const version = /^oven\/bun:([\d.]+)-slim$/.exec(name)?.[1]
  if (version === undefined) throw new Error(`The image ${name} is not known here`)
  if (version !== Bun.version) throw new Error(`The image wants Bun ${version}; this is ${Bun.version}`)
  await run(['cp', '-a', `${base}/.`, root])
  await run(['cp', process.execPath, join(root, 'usr/local/bin/bun')])
  await chroot({ root, cwd: '/', env: {}, command: `useradd --uid ${BUN_ID} --create-home bun` })
  giveNetwork(root)
}

/** Names and certificates as this machine has them. */
function giveNetwork(root: string): void {
  writeFileSync(join(root, 'etc/resolv.conf'), readFileSync('/etc/resolv.conf'))
  const certificates = '/etc/ssl/certs/ca-certificates.crt'
  if (!existsSync(certificates)) return
  mkdirSync(join(root, dirname(certificates)), { recursive: true })
  writeFileSync(join(root, certificates), readFileSync(certificates))
}

/** As compose runs it: migrate, then server and worker, as nobody special and on a root they cannot write. */
async function serve(image: Image): Promise<void> {
  const dir = join(WORK, 'stores')
  rmSync(dir, { recursive: true, force: true })
  const postgres = await startPostgres({ dir: join(dir, 'postgres') })
  const redis = await startRedis({ dir: join(dir, 'redis'), cacheDir: join(ROOT, '.cache') })
  const port = String(await freePort())
  const url = `http://127.0.0.1:${port}`
  const env = {
    ...image.env,
    BIND: '127.0.0.1',
    PORT: port,
    PUBLIC_URL: url,
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    JWT_SECRET: crypto.randomUUID() + crypto.randomUUID(),
    SMTP_URL: 'smtp://127.0.0.1:1',
  }
  const as = { root: image.root, cwd: image.cwd, env, user: image.user, readOnly: true }
  try {
    if (image.user === 'root') throw new Error('The image runs as root')
    await chroot({ ...as, command: 'bun dev/db.ts migrate' })
    const server = start({ ...as, command: `exec ${image.command.join(' ')}` })
    const worker = start({ ...as, command: 'exec bun worker/main.ts' })
    try {
      await answers(`${url}/health/ready`, server.said)
      for (const path of ['/', '/api/docs/json', '/api/v1/event']) await answers(`${url}${path}`, server.said)
      await until('the worker works', () => worker.said().includes('worker_started'), worker.said)
      const written = await chroot({ ...as, command: 'touch /app/written 2>&1 || true; id -u' })
      if (!written.includes('Read-only') || !written.trim().endsWith(String(BUN_ID)))
        throw new Error(`The image writes its root, or is somebody else: ${written}`)
      console.log(`Served by user ${image.user} on a read-only root: ${url}/health/ready answered 200`)
    } finally {
      const codes = await Promise.all([server.stop(), worker.stop()])
      console.log(`Told to stop, server and worker ended with ${codes.join(' and ')}`)
    }
  } finally {
    await Promise.all([postgres.stop(), redis.stop()])
    rmSync(dir, { recursive: true, force: true })
  }
}

function start(how: Parameters<typeof chroot>[0]) {
  let text = ''
  const child = Bun.spawn(chroot.words(how), { stdio: ['ignore', 'pipe', 'pipe'] })
  const decoder = new TextDecoder()
  for (const stream of [child.stdout, child.stderr])
    void (async () => {
      for await (const chunk of stream) text += decoder.decode(chunk, { stream: true })
    })()
  return {
    said: () => text,
    /** Answers the exit code. */
    async stop(): Promise<number | null> {
      child.kill('SIGTERM')
      await Promise.race([child.exited, Bun.sleep(STOP_WITHIN_MS)])
      const { exitCode } = child
      child.kill('SIGKILL')
      return exitCode
    },
  }
}

async function answers(url: string, said: () => string): Promise<void> {
  const ok = () =>
    fetch(url).then(
      (answer) => answer.ok,
      () => false,
    )
  await until(`${url} answers`, ok, said)
}

async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  said: () => string,
): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Not in time: ${what}\n${said()}`)
    await Bun.sleep(POLL_MS)
  }
}
