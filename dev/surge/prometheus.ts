// Owns a real Prometheus beside a stack: the configuration of ops/ pointed at it, what it is asked, and its end.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { endWithParent, freePort } from '../stores/process.ts'

const OPS = join(import.meta.dir, '../../ops')
const READY_WITHIN_MS = 20_000
const POLL_MS = 100
/** A test does not wait as long as a night does. */
const HURRIED = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' }

export interface Sample {
  metric: Record<string, string>
  value: number
}

export interface Target {
  health: string
  lastError: string
  /** ISO. */
  lastScrape: string
}

export interface Prometheus {
  query(expr: string): Promise<Sample[]>
  /** Names of the alerts that fire at this moment. */
  firing(): Promise<string[]>
  /** What the page of targets says: its health, why not, and when it was last asked. */
  target(): Promise<Target | undefined>
  stop(): Promise<void>
}

export interface PrometheusPlan {
  /** host:port of a server. */
  target: string
  /** METRICS_TOKEN of that server; without one it answers this machine alone. */
  token: string | undefined
  /** Scrapes and judges each second; `for` of every alert is a second, its condition as it stands. */
  hurried?: boolean
}

interface Config {
  global: Record<keyof typeof HURRIED, string>
  rule_files: string[]
  scrape_configs: { authorization?: { credentials_file: string }; static_configs: { targets: string[] }[] }[]
}

/** Resolves when it is ready to be asked. Throws with its own words when it is not in time. */
export async function startPrometheus(plan: PrometheusPlan): Promise<Prometheus> {
  const dir = mkdtempSync(join(tmpdir(), 'onsale-prometheus-'))
  writeConfig(dir, plan)
  const port = await freePort()
  const child = Bun.spawn(
    [
      ...endWithParent('KILL'),
      'prometheus',
      `--config.file=${join(dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const said = new Response(child.stderr).text()
  const stop = async () => {
    child.kill('SIGKILL')
    await child.exited
    rmSync(dir, { recursive: true, force: true })
  }
  const url = `http://127.0.0.1:${port}`
  const ready = () =>
    fetch(`${url}/-/ready`)
      .then(({ ok }) => ok)
      .catch(() => false)
  const deadline = Date.now() + READY_WITHIN_MS
  while (!(await ready())) {
    const ended = child.exitCode !== null
    if (ended || Date.now() > deadline) {
      await stop()
      throw new Error(ended ? `Prometheus ended: ${await said}` : 'Prometheus was not ready in time')
    }
    await Bun.sleep(POLL_MS)
  }
  return { stop, ...questions(url) }
}

function writeConfig(dir: string, { target, token, hurried = false }: PrometheusPlan): void {
  const config = parse(readFileSync(join(OPS, 'prometheus.yml'), 'utf8')) as Config
  const [job] = config.scrape_configs
  if (!job) throw new Error('ops/prometheus.yml scrapes nothing')
  if (hurried) config.global = HURRIED
  if (token === undefined) delete job.authorization
  else job.authorization = { ...job.authorization, credentials_file: join(dir, 'token') }
  job.static_configs = [{ targets: [target] }]
  writeFileSync(join(dir, 'token'), token ?? '', { mode: 0o600 })
  for (const name of config.rule_files) {
    const rules = readFileSync(join(OPS, name), 'utf8')
    const quick = rules.replaceAll(/^(\s+for: )\w+$/gm, (_, key: string) => `${key}1s`)
    writeFileSync(join(dir, name), hurried ? quick : rules)
  }
  writeFileSync(join(dir, 'prometheus.yml'), stringify(config))
}

function questions(url: string): Omit<Prometheus, 'stop'> {
  const ask = async <T>(path: string): Promise<T> => {
    const { data, error } = (await (await fetch(`${url}${path}`)).json()) as { data: T; error?: string }
    if (error !== undefined) throw new Error(`${path}: ${error}`)
    return data
  }
  return {
    async query(expr) {
      const { result } = await ask<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
        `/api/v1/query?query=${encodeURIComponent(expr)}`,
      )
      return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }))
    },
    async firing() {
      const { alerts } = await ask<{ alerts: { state: string; labels: { alertname: string } }[] }>(
        '/api/v1/alerts',
      )
      return alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname)
    },
    async target() {
      const { activeTargets } = await ask<{ activeTargets: Target[] }>('/api/v1/targets')
      return activeTargets[0]
    },
  }
}
