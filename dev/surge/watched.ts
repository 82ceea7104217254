// Decides whether a sale could be watched: what every panel and every alert answers from a scrape taken after it.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { Prometheus } from './prometheus.ts'

const OPS = join(import.meta.dir, '../../ops')
/** What is measured every few seconds, and what the worker does last, come a moment after the sale. */
const SEEN_WITHIN_MS = 45_000
const POLL_MS = 500

export interface Question {
  /** "On-sale: Waiting", or the alert's name. */
  name: string
  expr: string
}

interface Board {
  title: string
  panels: { title: string; targets: { expr: string }[] }[]
}
interface Rules {
  groups: { rules: { alert: string; expr: string }[] }[]
}

/** Every query of every panel of ops/grafana/dashboards. */
export function panelQuestions(): Question[] {
  const folder = join(OPS, 'grafana/dashboards')
  return readdirSync(folder).flatMap((file) => {
    const { title, panels } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Board
    return panels.flatMap((panel) =>
      panel.targets.map(({ expr }) => ({ name: `${title}: ${panel.title}`, expr })),
    )
  })
}

/** Every alert of ops/alerts.yml, asked so that it answers while all is well too. */
export function alertQuestions(): Question[] {
  const { groups } = parse(readFileSync(join(OPS, 'alerts.yml'), 'utf8')) as Rules
  return groups.flatMap(({ rules }) =>
    rules.map(({ alert, expr }) => ({ name: alert, expr: answeredAlways(expr) })),
  )
}

/** A condition that does not hold leaves nothing; with `bool` it leaves 0, and nothing means there are no figures. */
export function answeredAlways(expr: string): string {
  return expr.replaceAll(/\{[^}]*\}|[=!<>]=|[<>]/g, (found) =>
    found.startsWith('{') ? found : `${found} bool`,
  )
}

/** Those without a finite value once `since` (ms) was scraped, after as long as it may take them. */
export async function findEmpty(
  prometheus: Prometheus,
  questions: Question[],
  { since, withinMs = SEEN_WITHIN_MS }: { since: number; withinMs?: number | undefined },
): Promise<Question[]> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const empty = (await isScraped(prometheus, since)) ? await emptyOf(prometheus, questions) : questions
    if (empty.length === 0 || Date.now() >= deadline) return empty
    await Bun.sleep(POLL_MS)
  }
}

async function isScraped(prometheus: Prometheus, since: number): Promise<boolean> {
  const target = await prometheus.target()
  return target?.health === 'up' && Date.parse(target.lastScrape) > since
}

async function emptyOf(prometheus: Prometheus, questions: Question[]): Promise<Question[]> {
  const told = await Promise.all(questions.map(({ expr }) => prometheus.query(expr)))
  return questions.filter((_, index) => !told[index]?.some(({ value }) => Number.isFinite(value)))
}

export interface Sight {
  /** What is told of it, a line each. */
  lines: string[]
  faults: string[]
}

/** After a scenario that ended at `since`, ms. An alert that fires is told and not held against the sale. */
export async function judgeSight(prometheus: Prometheus, since: number, withinMs?: number): Promise<Sight> {
  const [panels, alerts] = [panelQuestions(), alertQuestions()]
  const empty = await findEmpty(prometheus, [...panels, ...alerts], { since, withinMs })
  if (!(await isScraped(prometheus, since))) {
    const why = (await prometheus.target())?.lastError || 'it was not asked in time'
    return { lines: [`Watched: no scrape after it: ${why}`], faults: ['no scrape was taken after it'] }
  }
  const firing = await prometheus.firing()
  const seen = (all: Question[]) => `${all.filter((one) => !empty.includes(one)).length} of ${all.length}`
  return {
    lines: [
      `Watched: ${seen(panels)} queries of panels and ${seen(alerts)} alerts have figures from a scrape after it; firing: ${firing.join(', ') || 'none'}`,
      ...empty.map(({ name, expr }) => `Watched: nothing for ${name}: ${expr}`),
    ],
    faults: empty.length === 0 ? [] : [`${empty.length} queries of dashboards and alerts found nothing`],
  }
}
