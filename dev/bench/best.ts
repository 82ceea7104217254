// Decides what `bench best` measures: a hall sold by best choices to everybody at once, and what one choice costs.
import { parseArgs } from 'node:util'
import { auditRow } from './audit-afterwards.ts'
import { sellOut, type Sold } from './best-sale.ts'
import { choiceCost } from './best-choices.ts'
import { startLedgerStack, type LedgerStack } from './ledger-stack.ts'
import { quantile, type Report, type Row } from './report.ts'
import { SALES, type SalePlan } from './best-plans.ts'

const SERVERS = 2
const BUYERS = 250
/** Of the attempts to hold, in each tenth of the hall but the last. */
const CONFLICTS_MAX = 0.05
const HALLS = [20_000, 100_000]
/** The reconciling has the last word of the cache within this. */
const SETTLE_MS = 5_000

const say = (sentence: string) => console.error(`bench best: ${sentence}`)

export async function bench(args: string[]): Promise<Report> {
  const { values } = parseArgs({
    args,
    options: {
      seats: { type: 'string', default: '20000' },
      buyers: { type: 'string', default: `${BUYERS}` },
    },
  })
  const [seats, buyers] = [Number(values.seats), Number(values.buyers)]
  if (!(seats >= 1_000)) throw new Error('--seats must be a number from 1000')
  if (!(buyers >= 1)) throw new Error('--buyers must be a number above 0')
  const rows: Row[] = HALLS.map(costRow)
  say('starting a stack of its own')
  const stack = await startLedgerStack(SERVERS)
  try {
    for (const plan of SALES) {
      say(plan.what)
      rows.push(...saleRows(plan, await sellOut(stack, { ...plan, seats, buyers })))
    }
    rows.push(await audited(stack))
  } finally {
    await stack.stop()
  }
  return { bench: 'best', options: { servers: SERVERS, buyers, seats }, rows }
}

function costRow(seats: number): Row {
  const { perChoiceUs, worstUs, choices } = choiceCost(seats)
  return {
    what: `CPU of a choice of two, ${seats.toLocaleString('en')} seats, sold from first to last`,
    figures: [perChoiceUs],
    unit: 'µs',
    ok: null,
    note: `${choices} choices in one process without HTTP; 99.9 % within ${worstUs.toFixed(0)} µs`,
  }
}

const percent = (share: number) => 100 * share

function saleRows(plan: SalePlan, sold: Sold): Row[] {
  const shares = sold.tenths.map(({ attempts, conflicts }) => conflicts / Math.max(1, attempts))
  const worst = Math.max(...shares.slice(0, -1))
  const said = shares.map((share) => percent(share).toFixed(1)).join(' ')
  return [
    {
      what: `${plan.what}: attempts that met somebody else's seats, worst tenth before the last`,
      figures: [percent(worst)],
      unit: '%',
      against: `${percent(CONFLICTS_MAX)} %`,
      ok: worst <= CONFLICTS_MAX && sold.unmeant === '',
      note: `by tenth: ${said}; ${sold.refusedInside} buyers refused for it${sold.unmeant && `; NOT MEANT: ${sold.unmeant}`}`,
    },
    {
      what: `${plan.what}: orphans made while avoidable`,
      figures: [sold.avoidableOrphans],
      unit: 'seats',
      against: '0',
      ok: sold.avoidableOrphans === 0,
      note: `${sold.orphansMade} in all, ${sold.orphansWithChoice} while another block was free at that very moment; alone when each tenth was sold: ${sold.alone.join(' ')}`,
    },
    {
      what: `${plan.what}: seats left when the last was told so`,
      figures: [sold.left],
      unit: 'seats',
      against: plan.toTheLast ? '0' : 'no block that anybody asked for',
      ok: sold.twice === 0 && sold.fitting === 0 && (!plan.toTheLast || sold.left === 0),
      note: `${sold.holds} holds in ${sold.seconds.toFixed(1)} s, ${Math.round(sold.holds / sold.seconds)}/s; p50 ${quantile(sold.latencies, 0.5).toFixed(0)} p99 ${quantile(sold.latencies, 0.99).toFixed(0)} ms; ${sold.twice} seats twice; ${sold.cores}`,
    },
  ]
}

async function audited({ run }: LedgerStack): Promise<Row> {
  await Bun.sleep(SETTLE_MS)
  say('audit')
  return auditRow(run)
}
