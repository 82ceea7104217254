// Decides what the report of a run looks like: one page that needs nothing from anywhere else.
import type { SurgeFigure } from '../../k6/lib/figures.ts'
import type { Scenario } from './scenarios.ts'
import { growthOf, type Sample, type Watched } from './watch-processes.ts'

export interface SurgeResult {
  scenario: Scenario
  at: Date
  machine: string
  k6: string
  seconds: number
  figures: SurgeFigure[]
  audit: string[]
  cores: Record<string, number>
  processes: Watched[]
  warmUpSeconds: number
  /** What is wrong, in sentences; none when it passed. */
  faults: string[]
}

const WIDE = 640
const HIGH = 120

export function drawPage(result: SurgeResult): string {
  const { scenario, at, machine, k6, seconds, figures, audit, cores, processes, faults } = result
  const verdict = faults.length === 0 ? 'passed' : 'failed'
  const rows = figures.map(
    ({ name, value, ok, asked }) =>
      `<tr class="${ok === null ? '' : ok ? 'ok' : 'bad'}"><td>${text(name)}</td><td>${text(value)}</td><td>${text(asked)}</td></tr>`,
  )
  const used = Object.entries(cores).map(([name, share]) => `${text(name)} ${share.toFixed(2)}`)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${text(scenario.name)}: ${verdict}</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f;background:#fff}
h1 b.passed{color:#0a6b3d}h1 b.failed{color:#a3121f}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #ddd}
tr.ok td:first-child::before{content:"✓ "}tr.bad{color:#a3121f;font-weight:600}tr.bad td:first-child::before{content:"✗ "}
pre{background:#f4f4f6;padding:1rem;overflow:auto}svg{background:#f4f4f6;width:100%;height:auto}
@media(prefers-color-scheme:dark){body{background:#16161a;color:#eee}pre,svg{background:#222}td,th{border-color:#444}}
</style></head><body>
<h1>${text(scenario.name)}: <b class="${verdict}">${verdict}</b></h1>
<p>${text(scenario.says.Question)}</p><p>${text(scenario.says.Shape)}</p>
<p>${at.toISOString()}, ${seconds.toFixed(0)} s. ${text(machine)}, k6 ${text(k6)}.</p>
${faults.length === 0 ? '' : `<ul>${faults.map((fault) => `<li>${text(fault)}</li>`).join('')}</ul>`}
<table><tr><th>What</th><th>Figure</th><th>Asked</th></tr>${rows.join('\n')}</table>
<h2>Processes</h2>
<p>Share of one core: ${used.join(', ') || 'not known here'}.</p>
${processes.map((one) => drawProcess(one, result.warmUpSeconds)).join('\n')}
<h2>Audit</h2><pre>${text(audit.join('\n'))}</pre>
</body></html>
`
}

function drawProcess(watched: Watched, warmUpSeconds: number): string {
  const { from, to, growth, descriptors } = growthOf(watched, warmUpSeconds)
  const after = warmUpSeconds > 0 ? ` after ${warmUpSeconds} s` : ''
  return `<h3>${text(watched.name)}</h3>
<p>Memory ${from.toFixed(0)} → ${to.toFixed(0)} MB${after} (${(100 * growth).toFixed(1)} %); descriptors ${descriptors.first} → ${descriptors.last}.</p>
<svg viewBox="0 0 ${WIDE} ${HIGH}" role="img" aria-label="Memory and descriptors over time">
${curve(watched.samples, ({ megabytes }) => megabytes, '#2a6fdb')}
${curve(watched.samples, (sample) => sample.descriptors, '#c2571a')}
</svg><p><span style="color:#2a6fdb">memory</span>, <span style="color:#c2571a">descriptors</span>, each from 0 to its highest.</p>`
}

function curve(samples: Sample[], of: (sample: Sample) => number, colour: string): string {
  const most = Math.max(1, ...samples.map(of))
  const last = Math.max(1, samples.at(-1)?.seconds ?? 1)
  const points = samples.map(
    (sample) =>
      `${((sample.seconds / last) * WIDE).toFixed(1)},${(HIGH - (of(sample) / most) * (HIGH - 4)).toFixed(1)}`,
  )
  return `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.join(' ')}"/>`
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const text = (said: string) => said.replaceAll(/[&<>"]/g, (sign) => ESCAPES[sign]!)
