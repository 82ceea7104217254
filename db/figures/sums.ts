// Decides what of a process' figures outlives it, and how such figures are added up.

export interface FigureValue {
  value: number
  labels: Record<string, string | number>
  /** Of a histogram: which of its series. */
  metricName?: string
}

/** One metric of one process, as prom-client's registries tell it. */
export interface Figure {
  name: string
  help: string
  type: string
  aggregator?: string
  values: FigureValue[]
}

/** What has been counted stays true; what was measured ends with whoever measured it. */
const COUNTED = new Set(['counter', 'histogram'])
export const counted = (figures: Figure[]): Figure[] => figures.filter(({ type }) => COUNTED.has(type))

const keyOf = ({ metricName, labels }: FigureValue) => `${metricName ?? ''} ${JSON.stringify(labels)}`

/** `figures` with `sign` × the counted ones of `others` added; the measured ones of `others` are left out. */
export function addCounted(figures: Figure[], others: Figure[], sign: 1 | -1 = 1): Figure[] {
  const sums = new Map(figures.map((figure) => [figure.name, figure]))
  for (const other of counted(others)) {
    const values = new Map((sums.get(other.name)?.values ?? []).map((value) => [keyOf(value), value]))
    for (const given of other.values) {
      const before = values.get(keyOf(given))?.value ?? 0
      values.set(keyOf(given), { ...given, value: before + sign * given.value })
    }
    sums.set(other.name, { ...other, values: [...values.values()] })
  }
  return [...sums.values()]
}
