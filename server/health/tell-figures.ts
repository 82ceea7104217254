// Decides what one scrape is told: every process' figures added up in one text, and how many processes report.
import { AggregatorRegistry } from 'prom-client'
import type { Totals } from '../../db/figures/figures.ts'

export async function tellFigures({ parts, live }: Totals): Promise<{ contentType: string; body: string }> {
  const kinds = ['server', 'worker'].map((kind) => ({
    labels: { kind },
    value: live.filter((name) => name.startsWith(kind)).length,
  }))
  const processes = {
    name: 'processes',
    help: 'Processes that report, by kind',
    type: 'gauge',
    aggregator: 'max',
    values: kinds,
  }
  const merged = AggregatorRegistry.aggregate([...parts, [processes]])
  return { contentType: merged.contentType, body: await merged.metrics() }
}
