// Owns the crowd of a rehearsal: how buyers of the day become those of a faster one, and what it tells each second.
import { join } from 'node:path'
import type { CrowdProgress, CrowdReport } from '../crowd/report.ts'

const CROWD = join(import.meta.dir, '../crowd.ts')
export const PARTY_MAX = 4
const PAY_SHARE = 0.93
/** On the day, without a seat to be had. */
const PATIENCE_SECONDS = 240
const LEAST_PATIENCE_SECONDS = 10

export interface CrowdWish {
  url: string
  eventId: string
  buyers: number
  speed: number
  /** Of the day: seconds a buyer looks, and minutes until all is over. */
  look: number
  minutes: number
  /** Of their payments, how many the provider never tells of. */
  lost: number
}

export interface Told {
  progress: CrowdProgress
  /** Of the reservations answered since the last time. */
  bookedMs: number[]
}

/** Null when it ended without a report. */
export async function sendCrowd(
  { url, eventId, buyers, speed, look, minutes, lost }: CrowdWish,
  hear: (told: Told) => void,
): Promise<CrowdReport | null> {
  const given = {
    url,
    event: eventId,
    buyers,
    party: `1-${PARTY_MAX}`,
    think: (look / speed).toFixed(2),
    pay: PAY_SHARE,
    lost,
    patience: Math.max(LEAST_PATIENCE_SECONDS, PATIENCE_SECONDS / speed),
    minutes: Math.max(1, minutes / speed),
  }
  const words = Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)])
  const crowd = Bun.spawn([process.execPath, CROWD, '--rehearsal', '--lines', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.once('SIGTERM', () => crowd.kill('SIGTERM'))
  let report: CrowdReport | null = null
  let rest = ''
  for await (const piece of crowd.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const said = JSON.parse(line) as Partial<Told> & { report?: CrowdReport }
      if (said.progress) hear({ progress: said.progress, bookedMs: said.bookedMs ?? [] })
      if (said.report) report = said.report
    }
  }
  await crowd.exited
  return report
}
