/** Holds docker-compose.yml, the Dockerfile and ops/ to the configuration: variables, ports, paths, figures. */
import { expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { readConfig as readServerConfig, SERVER_VARIABLES } from '../../server/config.ts'
import { readConfig as readWorkerConfig, WORKER_VARIABLES } from '../../worker/config.ts'

const root = join(import.meta.dir, '../..')
const text = (path: string) => readFileSync(join(root, path), 'utf8')

interface Service {
  image: string
  command?: string[]
  environment?: Record<string, string>
  ports?: string[]
  volumes?: string[]
  healthcheck?: { test: string[] }
  profiles?: string[]
  deploy?: { replicas?: number | string; resources?: { limits?: { cpus?: string; memory?: string } } }
  read_only?: boolean
  cap_drop?: string[]
}

const source = text('docker-compose.yml')
const compose = parse(source, { merge: true }) as { services: Record<string, Service>; volumes: object }
const service = (name: string) => {
  const found = compose.services[name]
  if (!found) throw new Error(`no service ${name}`)
  return found
}

/** What the file says once the required variables are set to something long enough. */
function environmentOf(name: string): Record<string, string> {
  const entries = Object.entries(service(name).environment ?? {})
  const filled = entries.map(([key, value]) => {
    return [
      key,
      value.replaceAll(/\$\{[A-Z0-9_]+(?::-([^}]*)|:\?)\}/g, (_, otherwise) => otherwise ?? 'x'.repeat(40)),
    ]
  })
  return Object.fromEntries(filled)
}

test('the server and the worker accept the environment that compose gives them, and know every variable', () => {
  const server = environmentOf('server')
  expect(readServerConfig(server)).toHaveProperty('config')
  expect(Object.keys(server).filter((name) => !SERVER_VARIABLES.includes(name as never))).toEqual([])
  const worker = environmentOf('worker')
  expect(readWorkerConfig(worker)).toHaveProperty('config')
  expect(Object.keys(worker).filter((name) => !WORKER_VARIABLES.includes(name as never))).toEqual([])
})

test('the proxy, Prometheus and the health checks ask for ports and paths that exist', () => {
  const read = readServerConfig(environmentOf('server'))
  const config = 'config' in read ? read.config : undefined
  expect(config?.bind).toBe('0.0.0.0')
  expect(config?.trustProxy).toBe(1)
  const proxy = text('ops/haproxy.cfg')
  expect(proxy).toContain(`server-template server 16 server:${config?.port}`)
  expect(text('ops/prometheus.yml')).toContain(`server:${config?.port}`)
  const asked = [
    proxy,
    JSON.stringify(service('server').healthcheck),
    JSON.stringify(service('proxy').healthcheck),
  ]
  for (const where of asked) expect(where).toContain('/health/ready')
  const health = [...new Bun.Glob('server/health/*.ts').scanSync({ cwd: root })].map(text).join('\n')
  expect(["'/health'", "'/ready'"].filter((part) => !health.includes(part))).toEqual([])
  expect(text('server/listen.ts')).toContain("'/metrics'")
  expect(service('proxy').ports?.[0]?.split(':')[1]).toBe(/bind :(\d+)/.exec(proxy)?.[1] ?? '')
  expect(environmentOf('server').PUBLIC_URL).toBe(
    `http://localhost:${service('proxy').ports?.[0]?.split(':')[0]}`,
  )
})

test('there are two servers, and a health check wherever something can be asked', () => {
  expect(service('server').deploy?.replicas).toBe('${SERVER_REPLICAS:-2}')
  expect(service('worker').deploy?.replicas).toBe('${WORKER_REPLICAS:-1}')
  const silent = ['worker', 'migrate', 'load', 'redis-insight']
  const unchecked = Object.keys(compose.services).filter((name) => !service(name).healthcheck)
  expect(unchecked.toSorted()).toEqual(silent.toSorted())
  const profiles = Object.keys(compose.services).map((name) => [name, service(name).profiles?.join()])
  expect(Object.fromEntries(profiles.filter(([, profile]) => profile !== undefined))).toEqual({
    prometheus: 'monitoring',
    grafana: 'monitoring',
    load: 'load',
    'redis-insight': 'tools',
  })
})

test('every service has its share of the machine and no more, and what can do without writes nothing', () => {
  for (const name of Object.keys(compose.services)) {
    const limits = service(name).deploy?.resources?.limits
    expect([name, limits?.cpus]).toEqual([name, expect.stringMatching(/^\d\.\d$/)])
    expect([name, limits?.memory]).toEqual([name, expect.stringMatching(/^\d+[MG]$/)])
  }
  const writing = Object.keys(compose.services).filter((name) => !service(name).read_only)
  expect(writing.toSorted()).toEqual(['migrate', 'postgres', 'redis', 'redis-insight'])
  for (const name of ['server', 'worker', 'proxy']) expect(service(name).cap_drop).toEqual(['ALL'])
})

test('Redis keeps what it is told, evicts nothing and is punctual', () => {
  const command = service('redis').command?.join(' ') ?? ''
  const flags = ['--appendonly yes', '--maxmemory 768mb', '--maxmemory-policy noeviction', '--hz 500']
  for (const flag of [...flags, '--requirepass']) {
    expect(command).toContain(flag)
  }
  expect(service('redis').deploy?.resources?.limits?.memory).toBe('1G')
})

test('what is run is a list of words: YAML makes something else of a colon before a space', () => {
  for (const name of Object.keys(compose.services)) {
    const { command = [], healthcheck, environment = {} } = service(name)
    const words = [...command, ...(healthcheck?.test ?? []), ...Object.values(environment)]
    expect([name, words.filter((word) => typeof word !== 'string')]).toEqual([name, []])
  }
})

/** Former secrets, still accepted while tokens of theirs live; most installations have none. */
const MAY_BE_EMPTY = new Set(['JWT_SECRETS_ACCEPTED'])

test('no secret stands in the file: each comes from the environment and is required', () => {
  const secret = /SECRET|PASSWORD|TOKEN|AUTH/
  for (const name of Object.keys(compose.services)) {
    for (const [key, value] of Object.entries(service(name).environment ?? {})) {
      const given = MAY_BE_EMPTY.has(key) || name === 'load' ? /^\$\{[A-Z0-9_]+:-\}$/ : /^\$\{[A-Z_]+:\?\}$/
      if (secret.test(key)) expect([name, value]).toEqual([name, expect.stringMatching(given)])
      expect(value.replaceAll(/\$\{[^}]*\}/g, '')).not.toMatch(/:\/\/[^/@]*:[^/@]+@/)
    }
  }
})

test('every image is pinned, and ours does not run as root', () => {
  const dockerfile = text('Dockerfile')
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image ?? '')
  const ours = new Set(['onsale'])
  const images = Object.keys(compose.services).map((name) => service(name).image)
  for (const image of [...bases, ...images.filter((name) => !ours.has(name))]) {
    expect(image).toMatch(/^[a-z0-9/-]+:v?\d+\.\d+/)
  }
  expect(/^USER (\S+)/m.exec(dockerfile)?.[1]).toBe('bun')
  expect(text('dev/bun.mjs')).toContain(`'${/oven\/bun:([\d.]+)/.exec(dockerfile)?.[1]}'`)
})

test('every script, folder and file that the image and compose name exists', () => {
  const copied = [...text('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names]) =>
    (names ?? '').split(' '),
  )
  const scripts = ['server', 'worker', 'migrate'].map((name) => service(name).command?.[1] ?? '')
  const mounted = Object.keys(compose.services).flatMap((name) => {
    return (service(name).volumes ?? []).flatMap((volume) =>
      volume.startsWith('./') ? [volume.split(':')[0] ?? ''] : [],
    )
  })
  const missing = [...copied, ...scripts, ...mounted].filter((path) => !existsSync(join(root, path)))
  expect(missing).toEqual([])
})

const PUBLISHED_IN = [
  'server/telemetry.ts',
  'server/store-gauges.ts',
  'worker/telemetry.ts',
  'db/figures/measure-process.ts',
]
test('every figure on the dashboards and in the alerts is one that a process publishes', () => {
  const telemetry = PUBLISHED_IN.map(text).join('\n')
  const boards = [...new Bun.Glob('ops/grafana/dashboards/*.json').scanSync({ cwd: root })]
  expect(boards).toHaveLength(4)
  const expressions = [...boards, 'ops/alerts.yml'].flatMap((path) => {
    const found = text(path).matchAll(/(?:"expr": "|expr: (?:>-)?)((?:[^"\\]|\\.|\n {10})*)/g)
    return [...found].map(([, expr]) => expr ?? '')
  })
  const figures = expressions.flatMap(
    (expr) =>
      expr.match(
        /\b(?:http|room|ws|tickets|bookings|seat|seats|queue|outbox|invariant|postgres|redis|event_loop|job|audit|worker|holds|dead|store)_[a-z_]+/g,
      ) ?? [],
  )
  expect(figures.length).toBeGreaterThanOrEqual(expressions.length)
  const published = (name: string) => telemetry.includes(`'${name.replace(/_(bucket|sum|count)$/, '')}'`)
  expect([...new Set(figures)].filter((name) => !published(name))).toEqual([])
})
