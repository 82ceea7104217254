// Holds the alerts by themselves: each fires after its time and not before, names a section of the runbook, and is tested.
import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { anchorsOf } from '../support/anchors.ts'
import { missingPrometheus } from '../support/prometheus.ts'

const root = join(import.meta.dir, '../..')
const text = (path: string) => readFileSync(join(root, path), 'utf8')

interface Alert {
  alert: string
  labels: { severity: string }
  annotations: { summary: string; runbook_url: string }
}
const rules = parse(text('ops/alerts.yml')) as { groups: { rules: Alert[] }[] }
const alerts = rules.groups.flatMap((group) => group.rules)
const RUNBOOK = 'docs/runbook.md'
const anchors = anchorsOf(text(RUNBOOK))

test('every alert leads to a section of the runbook that says what it means, what to look at and what to do', () => {
  expect(alerts.length).toBeGreaterThan(7)
  for (const { alert, annotations } of alerts) {
    expect(annotations.runbook_url).toBe(`${RUNBOOK}#${alert.toLowerCase()}`)
    expect(anchors).toContain(alert.toLowerCase())
    const section = text(RUNBOOK).split(`### ${alert}\n`)[1]!.split('\n### ')[0]!
    for (const part of ['**Means.**', '**Look at.**', '**Do.**'])
      expect([alert, section]).toEqual([alert, expect.stringContaining(part)])
  }
})

test('no section of the runbook is about an alert that is none', () => {
  const known = new Set(alerts.map(({ alert }) => alert))
  const told = [...text(RUNBOOK).matchAll(/^### (Onsale\w+)$/gm)].map(([, name]) => name!)
  expect(told.filter((name) => !known.has(name))).toEqual([])
})

test('promtool knows a case for every alert', () => {
  const cases = text('tests/ops/alerts.rules.yml')
  expect(alerts.map(({ alert }) => alert).filter((name) => !cases.includes(`alertname: ${name}`))).toEqual([])
})

const absent = missingPrometheus()
test.skipIf(absent)('every alert fires after its time and not before', () => {
  const ran = Bun.spawnSync(['promtool', 'test', 'rules', join(import.meta.dir, 'alerts.rules.yml')])
  expect(`${ran.stdout}${ran.stderr}`).toContain('SUCCESS')
  expect(ran.exitCode).toBe(0)
})
