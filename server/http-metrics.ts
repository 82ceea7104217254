// Owns the count of HTTP answers and how long they took: plain numbers while requests run, Prometheus' shape when asked.
import {
  Histogram,
  Counter,
  type MetricObjectWithValues,
  type MetricValueWithName,
  type Registry,
} from 'prom-client'

/** What a group's own route ends in, for the router alone. */
const GROUP_SLASH = /(?<=.)\/$/
const LABELS = ['method', 'route', 'status'] as const
/** Whatever else a stranger makes up shares one name. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const OTHER_METHOD = 'OTHER'
type Labels = Record<(typeof LABELS)[number], string | number>

interface Tally {
  labels: Labels
  count: number
  sum: number
  /** Answers within each bound and above the one before; the last is of those beyond all bounds. */
  within: number[]
}

export interface HttpMetricNames {
  requests: string
  durations: string
}

/** Answers the function that counts one. `bounds` in seconds, ascending. */
export function httpMetrics(registry: Registry, names: HttpMetricNames, bounds: number[]) {
  // Nested, since a joined text costs more than three look-ups: by route, then status, then method.
  const tallies = new Map<string, Map<number, Map<string, Tally>>>()
  const all: Tally[] = []

  function tallyOf(method: string, route: string, status: number): Tally {
    const byStatus = tallies.get(route) ?? new Map<number, Map<string, Tally>>()
    tallies.set(route, byStatus)
    const byMethod = byStatus.get(status) ?? new Map<string, Tally>()
    byStatus.set(status, byMethod)
    const tally = {
      labels: { method, route: route.replace(GROUP_SLASH, ''), status },
      count: 0,
      sum: 0,
      within: bounds.map(() => 0).concat(0),
    }
    byMethod.set(method, tally)
    all.push(tally)
    return tally
  }

  registry.registerMetric(new Requests(names.requests, all))
  registry.registerMetric(new Durations(names.durations, all, bounds))

  return (asked: string, route: string, status: number, seconds: number): void => {
    const method = METHODS.has(asked) ? asked : OTHER_METHOD
    const tally = tallies.get(route)?.get(status)?.get(method) ?? tallyOf(method, route, status)
    tally.count += 1
    tally.sum += seconds
    let at = 0
    while (at < bounds.length && seconds > bounds[at]!) at += 1
    tally.within[at]! += 1
  }
}

class Requests extends Counter<(typeof LABELS)[number]> {
  constructor(
    name: string,
    private readonly all: Tally[],
  ) {
    super({
      name,
      help: 'HTTP answers, refusals included',
      labelNames: LABELS,
      registers: [],
    })
  }

  override async get() {
    const shape = await super.get()
    return {
      ...shape,
      values: this.all.map(({ labels, count }) => ({ value: count, labels: { ...labels } })),
    }
  }
}

class Durations extends Histogram<(typeof LABELS)[number]> {
  constructor(
    private readonly called: string,
    private readonly all: Tally[],
    private readonly bounds: number[],
  ) {
    super({
      name: called,
      help: 'Time to answer',
      labelNames: LABELS,
      buckets: bounds,
      registers: [],
    })
  }

  override async get(): Promise<MetricObjectWithValues<MetricValueWithName<(typeof LABELS)[number]>>> {
    const shape = await super.get()
    return { ...shape, values: this.all.flatMap((tally) => this.#valuesOf(tally)) }
  }

  #valuesOf({ labels, count, sum, within }: Tally) {
    let below = 0
    const buckets = this.bounds.map((le, at) => ({
      metricName: `${this.called}_bucket`,
      value: (below += within[at]!),
      labels: { le, ...labels },
    }))
    return [
      ...buckets,
      { metricName: `${this.called}_bucket`, value: count, labels: { le: '+Inf', ...labels } },
      { metricName: `${this.called}_sum`, value: sum, labels: { ...labels } },
      { metricName: `${this.called}_count`, value: count, labels: { ...labels } },
    ]
  }
}
