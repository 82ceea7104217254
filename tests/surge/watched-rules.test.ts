// Shows when a surge counts as watched: figures for every panel and alert, from a scrape taken after it.
import { expect, test } from 'bun:test'
import type { Prometheus } from '../../dev/surge/prometheus.ts'
import { alertQuestions, answeredAlways, judgeSight, panelQuestions } from '../../dev/surge/watched.ts'

const SINCE = Date.parse('2026-11-22T10:00:00Z')
const [panels, alerts] = [panelQuestions(), alertQuestions()]

interface Told {
  value?: (expr: string) => number | undefined
  scraped?: number
}

function prometheus({ value = () => 1, scraped = SINCE + 4_000 }: Told): Prometheus {
  return {
    query: async (expr) => {
      const told = value(expr)
      return told === undefined ? [] : [{ metric: {}, value: told }]
    },
    firing: async () => ['OnsaleSlow'],
    target: async () => ({ health: 'up', lastError: '', lastScrape: new Date(scraped).toISOString() }),
    stop: async () => {},
  }
}
const judged = (told: Told) => judgeSight(prometheus(told), SINCE, 0)

test('an alert is asked so that it answers while all is well, its labels untouched', () => {
  expect(answeredAlways('sum(a{route!~"/x",to!="<y>"}) >= 1 and max(b) == 0')).toBe(
    'sum(a{route!~"/x",to!="<y>"}) >= bool 1 and max(b) == bool 0',
  )
  expect(alerts.filter(({ expr }) => !expr.includes(' bool '))).toEqual([])
})

test('figures for all of them are a sale that was seen; an alert that fires is told', async () => {
  expect(await judged({})).toEqual({
    lines: [expect.stringContaining(`${panels.length} of ${panels.length} queries of panels`)],
    faults: [],
  })
  expect((await judged({})).lines[0]).toEndWith('firing: OnsaleSlow')
})

test('a panel or an alert without a figure is named with its query', async () => {
  const [panel, alert] = [panels[0]!, alerts[0]!]
  const { lines, faults } = await judged({
    value: (expr) => (expr === panel.expr ? Number.NaN : expr === alert.expr ? undefined : 0),
  })
  expect(lines).toContain(`Watched: nothing for ${panel.name}: ${panel.expr}`)
  expect(lines).toContain(`Watched: nothing for ${alert.name}: ${alert.expr}`)
  expect(faults).toHaveLength(1)
})

test('figures of a scrape before its end say nothing of it', async () => {
  expect((await judged({ scraped: SINCE - 1 })).faults).toEqual(['no scrape was taken after it'])
})
