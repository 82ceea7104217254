/** Owns `chaos`: a stack, a crowd and a seeded schedule of faults, then the proof that nothing was lost; exit code 1 when something was. */
import { parseArgs } from 'node:util'
import { publishChaos } from './chaos/report.ts'
import { KINDS, type Kind } from './chaos/plan.ts'
import { runChaos } from './chaos/run.ts'

const FAULTS = '20'
const RESERVATIONS = '10000'
/** Three at once leave hardly anything to be asked. */
const TOGETHER = { usual: '1', most: 3 }
const SEEDS = 1_000_000

const { values } = parseArgs({
  options: {
    faults: { type: 'string', default: FAULTS },
    /** How many of them strike at the same moment. */
    together: { type: 'string', default: TOGETHER.usual },
    reservations: { type: 'string', default: RESERVATIONS },
    seed: { type: 'string' },
    kinds: { type: 'string' },
    /** A folder for what the processes say. */
    logs: { type: 'string' },
  },
})

function whole(name: 'faults' | 'together' | 'reservations' | 'seed', text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  console.error(`--${name} must be a whole number`)
  process.exit(2)
}

/** All kinds, those named, or all but those named with a minus before them. */
function kindsOf(text: string | undefined): Kind[] {
  if (text === undefined) return [...KINDS]
  const names = text.split(',').map((name) => name.trim())
  const wrong = names.filter((name) => !(KINDS as readonly string[]).includes(name.replace(/^-/, '')))
  if (wrong.length > 0) {
    console.error(`There is no fault ${wrong.join(', ')}; there are: ${KINDS.join(', ')}`)
    process.exit(2)
  }
  const without = names.every((name) => name.startsWith('-'))
  return KINDS.filter((kind) => (without ? !names.includes(`-${kind}`) : names.includes(kind)))
}

const together = whole('together', values.together)
if (together < 1 || together > TOGETHER.most) {
  console.error(`--together must be between 1 and ${TOGETHER.most}`)
  process.exit(2)
}
const seed = values.seed === undefined ? Math.floor(Math.random() * SEEDS) : whole('seed', values.seed)
const options = {
  seed,
  faults: whole('faults', values.faults),
  together,
  reservations: whole('reservations', values.reservations),
  kinds: kindsOf(values.kinds),
  ...(values.logs === undefined ? {} : { logDir: values.logs }),
  say: (sentence: string) => console.error(`chaos: ${sentence}`),
}
options.say(`seed ${seed}, ${options.faults} faults, ${options.reservations} reservations`)
try {
  process.exit((await publishChaos(options, await runChaos(options))) ? 0 : 1)
} catch (fault) {
  console.error(
    `chaos did not run to its end (seed ${seed}): ${fault instanceof Error ? fault.message : String(fault)}`,
  )
  process.exit(1)
}
