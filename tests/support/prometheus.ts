// Owns whether the tests of dashboards and alerts can ask a real Prometheus, and names it as they know it.
export { startPrometheus, type Prometheus } from '../../dev/surge/prometheus.ts'

/** Whether these tests must be left out; says so. */
export function missingPrometheus(): boolean {
  const missing = ['prometheus', 'promtool'].filter((name) => Bun.which(name) === null)
  if (missing.length > 0)
    console.log(`No ${missing.join(' and no ')} here: dashboards and alerts are not asked of a real one`)
  return missing.length > 0
}
