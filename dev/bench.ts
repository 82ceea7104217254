/** Owns `bench [name]`: runs one benchmark, or each in turn, and ends with 1 when one fell short of what is asked of it. */
import { publish, type Report } from './bench/report.ts'

/** Each answers its rows; all measure their reference in the same run. */
const BENCHES: Record<string, () => Promise<{ bench: (args: string[]) => Promise<Report> }>> = {
  best: () => import('./bench/best.ts'),
  growth: () => import('./bench/growth.ts'),
  cache: () => import('./bench/cache.ts'),
  nodes: () => import('./bench/nodes.ts'),
  ledger: () => import('./bench/ledger.ts'),
  room: () => import('./bench/room.ts'),
  window: () => import('./bench/window.ts'),
  survival: () => import('./bench/survival.ts'),
}

const [name, ...args] = process.argv.slice(2)
const asked = name && !name.startsWith('-') ? name : null
if (asked && !BENCHES[asked]) {
  console.error(`There is no bench ${asked}; there are: ${Object.keys(BENCHES).join(', ')}`)
  process.exit(2)
}
let good = true
for (const each of asked ? [asked] : Object.keys(BENCHES))
  try {
    const { bench } = await BENCHES[each]!()
    good = (await publish(await bench(asked ? args : process.argv.slice(2)))) && good
  } catch (fault) {
    console.error(`bench ${each} did not run: ${fault instanceof Error ? fault.message : String(fault)}`)
    good = false
  }
process.exit(good ? 0 : 1)
