/** Owns `up`: one command that checks, starts and keeps alive everything Onsale needs on one machine. */
import { claimDataDir } from './up/data-dir.ts'
import { checkExternals } from './up/externals.ts'
import { isPortTaken } from './up/ports.ts'
import { removeRunFile, writeRunFile } from './up/run-file.ts'
import type { RunFile } from './up/run-file.ts'
import { readUpSettings } from './up/settings.ts'
import type { UpSettings } from './up/settings.ts'
import { startStack, stopOrder } from './up/stack.ts'
import type { Stack } from './up/stack.ts'
import { Supervisor } from './up/supervisor.ts'

/** The contract's ten seconds; whoever is left then is killed. */
const STOP_DEADLINE_MS = 9_800

const watch = process.argv.includes('--watch')
const say = (sentence: string) => console.error(sentence)

await main()

async function main() {
  const read = readUpSettings(process.env)
  if (!read.ok) return refuse(read.problems)
  const { settings } = read
  const claim = await claimDataDir(settings.dataDir)
  if (!claim.ok) return refuse([claim.problem])
  process.once('exit', claim.release)
  removeRunFile(settings.dataDir)
  const found = await lookAround(settings)
  if (found.length > 0) refuse(found)
  await run(settings, claim.noteChildren)
}

/** Everything that would make the start fail later, said together and before anything is started. */
async function lookAround(settings: UpSettings): Promise<string[]> {
  const { port, bind, databaseUrl, redisUrl } = settings
  const [taken, stores] = await Promise.all([
    isPortTaken(port, bind),
    checkExternals({ databaseUrl, redisUrl }),
  ])
  const ofPort = taken ? [`Port ${port} is taken: stop what listens there, or set another PORT`] : []
  return [...ofPort, ...stores]
}

async function run(settings: UpSettings, noteChildren: (pids: number[]) => void) {
  let stack: Stack | undefined
  let ending = false
  const end = async (code: number) => {
    if (ending) return
    ending = true
    const lastCall = setTimeout(() => {
      supervisor.kill()
      process.exit(code)
    }, STOP_DEADLINE_MS)
    await stack?.rehearsals?.stop()
    await supervisor.stop(stopOrder(settings.servers))
    clearTimeout(lastCall)
    removeRunFile(settings.dataDir)
    process.exit(code)
  }
  const supervisor = new Supervisor({
    changed: () => {
      noteChildren(supervisor.pids())
      if (stack && !ending) writeRunFile(settings.dataDir, stack.describe())
    },
    gaveUp: (sentence) => {
      if (ending) return
      say(`Onsale stops: ${sentence}`)
      void end(1)
    },
    say,
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0))
  try {
    stack = await startStack(settings, supervisor, { watch, say })
    if (ending) return
    supervisor.settle()
    writeRunFile(settings.dataDir, stack.describe())
    announce(stack.describe())
  } catch (error) {
    if (ending) return
    say(`Onsale did not start: ${error instanceof Error ? error.message : String(error)}`)
    await end(1)
  }
}

function announce({ url, demo, mailbox }: RunFile) {
  console.log(`Onsale ready: ${url}`)
  for (const { email, password, role } of demo?.accounts ?? []) {
    console.log(`  ${role.padEnd(9)} ${email.padEnd(21)} ${password}`)
  }
  if (mailbox) console.log(`  Mailbox   ${url}/dev/mailbox`)
  console.log(`  API       ${url}/api/docs`)
}

function refuse(problems: string[]): never {
  const [only] = problems
  say(problems.length === 1 ? `Onsale did not start: ${only}` : 'Onsale did not start:')
  if (problems.length > 1) for (const problem of problems) say(`  - ${problem}`)
  process.exit(1)
}
