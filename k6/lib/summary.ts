// Decides what a run says at its end: a line for each threshold and each figure, and the same as JSON where `surge` asks.
import type { SurgeFigure, SurgeSummary } from './figures.ts'

interface Metric {
  type: 'counter' | 'gauge' | 'rate' | 'trend'
  contains: string
  values: Record<string, number>
  thresholds?: Record<string, { ok: boolean }>
}
interface SummaryData {
  metrics: Record<string, Metric>
  state: { testRunDurationMs: number }
}
const QUIET = /^(data_|iteration|vus|http_req_(blocked|connecting|sending|receiving|tls|waiting)|group_|ws_)/

export function handleSummary({ metrics, state }: SummaryData): Record<string, string> {
  const figures = Object.entries(metrics)
    .filter(([name, { thresholds }]) => thresholds !== undefined || !QUIET.test(name))
    .map(([name, metric]) => figureOf(name, metric))
    .toSorted((a, b) => Number(a.ok === null) - Number(b.ok === null) || (a.name < b.name ? -1 : 1))
  const summary: SurgeSummary = { seconds: state.testRunDurationMs / 1_000, figures }
  const file = __ENV.SURGE_SUMMARY
  return { stdout: table(figures), ...(file ? { [file]: JSON.stringify(summary) } : {}) }
}

function figureOf(name: string, { type, contains, values, thresholds = {} }: Metric): SurgeFigure {
  const asked = Object.keys(thresholds)
  const ok = asked.length === 0 ? null : Object.values(thresholds).every((threshold) => threshold.ok)
  return { name, value: valueOf(type, contains, values), ok, asked: asked.join(', ') }
}

function valueOf(type: Metric['type'], contains: string, values: Record<string, number>): string {
  if (type === 'counter') return String(values.count ?? 0)
  if (type === 'rate') return `${(100 * (values.rate ?? 0)).toFixed(2)} %`
  if (type === 'gauge') return String(values.value ?? 0)
  const unit = contains === 'time' ? ' ms' : ''
  const shown = (['med', 'p(95)', 'max'] as const).map((part) => `${part} ${rounded(values[part])}${unit}`)
  return shown.join('  ')
}

const rounded = (value = 0) => (value < 10 ? value.toFixed(1) : Math.round(value).toString())

function table(figures: SurgeFigure[]): string {
  const wide = Math.max(...figures.map(({ name }) => name.length))
  const lines = figures.map(({ name, value, ok, asked }) => {
    const mark = ok === null ? ' ' : ok ? '✓' : '✗'
    return `${mark} ${name.padEnd(wide)}  ${value}${asked === '' ? '' : `   (${asked})`}`
  })
  return `\n${lines.join('\n')}\n`
}
