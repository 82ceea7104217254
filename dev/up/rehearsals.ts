/** Owns the made-up crowds of a demo: one at a time, bounded, stoppable, asked for by the servers over loopback. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Value } from '@sinclair/typebox/value'
import { RehearsalPlan, type RehearsalRun } from '../../server/dev/rehearsal-door.ts'
import { LIMITS } from '../../server/protocol/codes.ts'
import type { RehearsalResult } from '../../server/protocol/http.ts'
import type { CrowdProgress, CrowdReport } from '../crowd/report.ts'
import { endWithParent } from '../stores/process.ts'

const CROWD = join(import.meta.dir, '../crowd.ts')
/** The crowd gives up by itself; whoever does not is ended. */
const CROWD_MINUTES = 4
const LONGEST_MS = (CROWD_MINUTES + 1) * 60_000
const KILL_AFTER_MS = 2_000
/** Longer than the hold of a copy, so that seats somebody did not pay for find another buyer. */
const PATIENCE_SECONDS = 25
/** Most hold and pay; some walk away. */
const PAY_SHARE = 0.93
const SECRET_BYTES = 24
const BODY_BYTES = 4_096
const LINE_CHARS_MAX = 100_000

export interface Rehearsals {
  /** For the servers alone: whoever knows it may start one. */
  url: string
  stop(): Promise<void>
}

/** `target` is where the crowd goes. */
export function openRehearsals(target: string): Rehearsals {
  const path = `/${randomBytes(SECRET_BYTES).toString('base64url')}`
  let run: RehearsalRun = { state: 'idle', plan: null, startedAt: null, progress: null, result: null }
  let crowd: Bun.Subprocess<'ignore', 'pipe', 'ignore'> | null = null

  function start(plan: RehearsalPlan): void {
    const mine: RehearsalRun = {
      state: 'running',
      plan,
      startedAt: new Date().toISOString(),
      progress: null,
      result: null,
    }
    run = mine
    const child = Bun.spawn(
      [...endWithParent('KILL'), process.execPath, CROWD, ...crowdArguments(target, plan)],
      { stdin: 'ignore', stdout: 'pipe', stderr: 'ignore' },
    )
    crowd = child
    const overdue = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS)
    void follow(child.stdout, mine)
      .catch(() => {})
      .then(() => child.exited)
      .then(() => {
        clearTimeout(overdue)
        crowd = null
        if (mine.state === 'running') mine.state = mine.result ? 'ended' : 'failed'
      })
  }

  async function stop(): Promise<void> {
    const child = crowd
    if (!child) return
    run.state = 'stopped'
    child.kill('SIGTERM')
    const killer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS)
    await child.exited
    clearTimeout(killer)
  }

  const door = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    maxRequestBodySize: BODY_BYTES,
    async fetch(request) {
      if (new URL(request.url).pathname !== path) return new Response('Nothing here', { status: 404 })
      if (request.method === 'DELETE') await stop()
      if (request.method !== 'POST') return Response.json(run)
      const plan: unknown = await request.json().catch(() => null)
      if (!Value.Check(RehearsalPlan, plan) || plan.buyers > LIMITS.rehearsalBuyersMax)
        return new Response('This is no plan', { status: 400 })
      if (crowd) return Response.json(run, { status: 409 })
      start(plan)
      return Response.json(run, { status: 201 })
    },
  })
  return {
    url: `http://127.0.0.1:${door.port}${path}`,
    async stop() {
      await stop()
      await door.stop(true)
    },
  }
}

function crowdArguments(
  target: string,
  { eventId, buyers, partyMax, thinkSeconds }: RehearsalPlan,
): string[] {
  const options = {
    url: target,
    event: eventId,
    buyers,
    party: `1-${partyMax}`,
    think: thinkSeconds.toFixed(2),
    pay: PAY_SHARE,
    patience: PATIENCE_SECONDS,
    minutes: CROWD_MINUTES,
  }
  const given = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  // The crowd itself looks whether it stands before a copy, and buys nothing else.
  return [...given, '--rehearsal', '--lines']
}

/** Notes what the crowd says of itself, line by line, until it says no more. */
async function follow(stdout: ReadableStream<Uint8Array>, run: RehearsalRun): Promise<void> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of stdout) {
    text += decoder.decode(chunk, { stream: true })
    const lines = text.split('\n')
    text = (lines.pop() ?? '').slice(-LINE_CHARS_MAX)
    for (const line of lines) take(line, run)
  }
}

function take(line: string, run: RehearsalRun): void {
  if (!line.startsWith('{')) return
  const said = JSON.parse(line) as { progress?: CrowdProgress; report?: CrowdReport }
  if (said.progress) run.progress = said.progress
  if (said.report) run.result = resultOf(said.report)
}

function resultOf({ latencyMs, overtakings, ...report }: CrowdReport): RehearsalResult {
  const { seconds, seatsBought, admitted, outcomes, refusals, waitSeconds } = report
  return {
    seconds,
    seatsBought,
    admitted,
    outcomes: { ...outcomes } as Record<string, number>,
    refusals,
    orderKept: overtakings.length === 0,
    waitSeconds,
    bookMs: latencyMs.book,
  }
}
