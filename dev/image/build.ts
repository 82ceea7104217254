/** Decides what each step of a Dockerfile does to a folder: stage after stage, in the order in which they stand. */
import { cpSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { chroot } from './chroot.ts'
import { ignores, readDockerfile, type Step } from './dockerfile.ts'

export interface Image {
  root: string
  cwd: string
  env: Record<string, string>
  user: string
  command: string[]
}

interface Plan {
  dockerfile: string
  /** The folder that COPY takes from. */
  context: string
  work: string
  /** Makes `root` what the image of a FROM is. */
  prepare(root: string, image: string): Promise<void>
  say(step: string, seconds: number): void
}

/** The last stage, built. */
export async function buildImage(plan: Plan): Promise<Image> {
  const stages = new Map<string, Image>()
  const rules = readFileSync(join(plan.context, '.dockerignore'), 'utf8')
  rmSync(join(plan.work, 'stages'), { recursive: true, force: true })
  let image: Image | undefined
  for (const step of readDockerfile(readFileSync(plan.dockerfile, 'utf8'))) {
    const began = performance.now()
    if (step.kind === 'FROM') {
      const name = step.as ?? 'last'
      const root = join(plan.work, 'stages', name)
      mkdirSync(root, { recursive: true })
      await plan.prepare(root, step.image)
      image = { root, cwd: '/', env: {}, user: 'root', command: [] }
      stages.set(name, image)
    } else if (image) await take(step, image, { stages, rules, context: plan.context })
    else throw new Error('A Dockerfile begins with FROM')
    plan.say(spoken(step), (performance.now() - began) / 1_000)
  }
  if (!image) throw new Error('The Dockerfile has no stage')
  return image
}

async function take(
  step: Exclude<Step, { kind: 'FROM' }>,
  image: Image,
  from: { stages: Map<string, Image>; rules: string; context: string },
): Promise<void> {
  switch (step.kind) {
    case 'WORKDIR':
      image.cwd = step.text
      mkdirSync(join(image.root, step.text), { recursive: true })
      return
    case 'ENV':
      Object.assign(image.env, step.values)
      return
    case 'USER':
      image.user = step.text
      return
    case 'CMD':
      image.command = step.words
      return
    case 'RUN': {
      const { root, cwd, env, user } = image
      const certificates = { SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt' }
      await chroot({ root, cwd, env: { ...certificates, ...env }, user, command: step.text })
      return
    }
    case 'COPY':
      return copy(step, image, from)
    default:
      return
  }
}

/** A folder gives what is in it, as COPY does; what .dockerignore leaves out is not there. */
function copy(
  { from, sources, target }: Extract<Step, { kind: 'COPY' }>,
  image: Image,
  { stages, rules, context }: { stages: Map<string, Image>; rules: string; context: string },
): void {
  const stage = from === null ? null : stages.get(from)
  if (stage === undefined) throw new Error(`There is no stage ${from}`)
  const into = join(image.root, target.startsWith('/') ? target : join(image.cwd, target))
  for (const source of sources) {
    const path = join(stage?.root ?? context, source)
    const isFolder = statSync(path).isDirectory()
    const to = isFolder || !(target.endsWith('/') || target === '.') ? into : join(into, basename(source))
    cpSync(path, to, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (each) => stage !== null || !ignores(rules, relative(context, each)),
    })
  }
}

function spoken(step: Step): string {
  switch (step.kind) {
    case 'FROM':
      return `FROM ${step.image}`
    case 'COPY':
      return `COPY ${step.sources.join(' ')} ${step.target}`
    case 'ENV':
      return `ENV ${Object.keys(step.values).join(' ')}`
    case 'CMD':
      return `CMD ${step.words.join(' ')}`
    default:
      return `${step.kind} ${step.text}`
  }
}
