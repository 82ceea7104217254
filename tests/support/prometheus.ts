// Owns the real Prometheus of a test: the configuration of ops/, pointed at the test's stack and hurried.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { freePort } from '../../dev/stores/process.ts'

const OPS = join(import.meta.dir, '../../ops')
const READY_WITHIN_MS = 20_000
const POLL_MS = 100

/** Whether these tests must be left out; says so. */
export function missingPrometheus(): boolean {
  const missing = ['prometheus', 'promtool'].filter((name) => Bun.which(name) === null)
  if (missing.length > 0)
    console.log(`No ${missing.join(' and no ')} here: dashboards and alerts are not asked of a real one`)
  return missing.length > 0
}

export interface Sample {
  metric: Record<string, string>
  value: number
}

export interface Prometheus {
  query(expr: string): Promise<Sample[]>
  /** Names of the alerts that fire at this moment. */
  firing(): Promise<string[]>
  /** What the page of targets says: its health, and why not. */
  target(): Promise<{ health: string; lastError: string } | undefined>
  stop(): Promise<void>
}

interface Config {
  global: { scrape_interval: string; scrape_timeout: string; evaluation_interval?: string }
  rule_files: string[]
  scrape_configs: { authorization: { credentials_file: string }; static_configs: { targets: string[] }[] }[]
}

/** Scrapes and judges each second; `for` of every alert is a second, its condition as it stands. */
export async function startPrometheus({
  target,
  token,
}: {
  target: string
  token: string
}): Promise<Prometheus> {
  const dir = mkdtempSync(join(tmpdir(), 'onsale-prometheus-'))
  const config = parse(readFileSync(join(OPS, 'prometheus.yml'), 'utf8')) as Config
  config.global = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' }
  const [job] = config.scrape_configs
  job!.authorization.credentials_file = join(dir, 'token')
  job!.static_configs = [{ targets: [target] }]
  writeFileSync(join(dir, 'token'), token)
  for (const name of config.rule_files)
    writeFileSync(
      join(dir, name),
      readFileSync(join(OPS, name), 'utf8').replaceAll(/^(\s+for: )\w+$/gm, (_, key: string) => `${key}1s`),
    )
  writeFileSync(join(dir, 'prometheus.yml'), stringify(config))
  const port = await freePort()
  const child = Bun.spawn(
    [
      'prometheus',
      `--config.file=${join(dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const said = new Response(child.stderr).text()
  const ask = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`)
    const { data, error } = (await answer.json()) as { data: T; error?: string }
    if (error !== undefined) throw new Error(`${path}: ${error}`)
    return data
  }
  const stop = async () => {
    child.kill('SIGKILL')
    await child.exited
    rmSync(dir, { recursive: true, force: true })
  }
  const deadline = Date.now() + READY_WITHIN_MS
  while (
    !(await fetch(`http://127.0.0.1:${port}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null) throw new Error(`Prometheus ended: ${await said}`)
    if (Date.now() > deadline) throw new Error('Prometheus was not ready in time')
    await Bun.sleep(POLL_MS)
  }
  return {
    stop,
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
      const { activeTargets } = await ask<{ activeTargets: { health: string; lastError: string }[] }>(
        '/api/v1/targets',
      )
      return activeTargets[0]
    },
  }
}
