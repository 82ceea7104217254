// Owns what every process measures of itself: memory, processor, open files, and how late it comes to what is due.
import { statSync } from 'node:fs'
import { Gauge, Histogram, collectDefaultMetrics, type Registry } from 'prom-client'

/** From the clock's own grain to a process that stands still. */
const LAG_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const LAG_LOOK_EVERY_MS = 100
/** Listing them takes a millisecond for each thousand sockets; their number alone is the folder's size (Linux 6.2). */
const OPEN_FILES = '/proc/self/fd'
const HEAP_SPACES = ['total', 'used', 'available'].map((kind) => `nodejs_heap_space_size_${kind}_bytes`)

/** Answers how to stop. */
export function measureProcess(registry: Registry): () => void {
  collectDefaultMetrics({ register: registry })
  // Asking the runtime for its heap spaces takes milliseconds, and the report goes out every second.
  for (const metric of HEAP_SPACES) registry.removeSingleMetric(metric)
  registry.removeSingleMetric('process_open_fds')
  if (statSync(OPEN_FILES, { throwIfNoEntry: false })?.size) registry.registerMetric(openFilesGauge())
  return watchLag(registry)
}

/** prom-client's own figure starts anew with each report, so that a scrape every few seconds would miss most of it. */
function watchLag(registry: Registry): () => void {
  const lag = new Histogram({
    name: 'event_loop_lag_seconds',
    help: 'How late a timer of the process came',
    buckets: LAG_BUCKETS,
    registers: [registry],
  })
  let looked = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    lag.observe(Math.max(0, now - looked - LAG_LOOK_EVERY_MS) / 1_000)
    looked = now
  }, LAG_LOOK_EVERY_MS)
  return () => clearInterval(timer)
}

/** The default counts the entries one by one, a quarter of a server's work at ten thousand sockets. */
const openFilesGauge = () =>
  new Gauge({
    name: 'process_open_fds',
    help: 'Number of open file descriptors.',
    registers: [],
    collect() {
      this.set(statSync(OPEN_FILES).size)
    },
  })
