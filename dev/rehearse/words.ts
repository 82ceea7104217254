// Decides how a rehearsal is told: the curve of the wait, the sale in figures of the day itself, and the verdict.
import type { CrowdProgress } from '../crowd/report.ts'
import type { RoomPlan } from './shadow.ts'
import type { Rehearsed, Verdict } from './verdict.ts'

const LINES = 12
const WIDE = 40

export function drawVerdict(rehearsed: Rehearsed, verdict: Verdict): string {
  const { report, progress, speed, planned, serverCore } = rehearsed
  const { go, reasons, sellOutSeconds, bottleneck, recommended, why } = verdict
  const onTheDay = (seconds: number) => clock(seconds * speed)
  const figures: [string, string][] = [
    ['sold out', sellOutSeconds === null ? 'no' : `after ${clock(sellOutSeconds)}`],
    ...(report
      ? ([
          [
            'wait',
            `half ${onTheDay(report.waitSeconds.p50)}, 95 % ${onTheDay(report.waitSeconds.p95)}, longest ${onTheDay(report.waitSeconds.max)}`,
          ],
          [
            'reservations',
            `half within ${report.latencyMs.book.p50} ms, 95 % ${report.latencyMs.book.p95} ms (not sped up)`,
          ],
          [
            'people',
            Object.entries(report.outcomes)
              .map(([name, count]) => `${name} ${count}`)
              .join(', '),
          ],
        ] as [string, string][])
      : []),
    ['servers', `${serverCore.toFixed(2)} of a core, the busiest`],
    ['held back by', bottleneck],
    ['planned', settings(planned)],
    ['recommended', `${settings(recommended)} (${why})`],
  ]
  return [
    '',
    'People waiting, by the clock of the day itself:',
    ...drawCurve(progress, speed),
    '',
    ...figures.map(([name, value]) => `  ${name.padEnd(14)}${value}`),
    '',
    go ? 'GO' : `NO-GO: ${reasons.join('; ')}`,
  ].join('\n')
}

function drawCurve(progress: CrowdProgress[], speed: number): string[] {
  const most = Math.max(1, ...progress.map(({ waiting }) => waiting))
  const every = Math.max(1, Math.ceil(progress.length / LINES))
  return progress
    .filter((_, index) => index % every === 0)
    .map(({ seconds, waiting, seatsLeft }) => {
      const bar = '█'.repeat(Math.round((waiting / most) * WIDE))
      return `  ${clock(seconds * speed).padStart(8)}  ${bar.padEnd(WIDE)} ${String(waiting).padStart(6)}  free seats ${seatsLeft}`
    })
}

const settings = ({ activeMax, admitPerMinute, doorSeconds, passSeconds, graceSeconds }: RoomPlan) =>
  `activeMax ${activeMax}, admitPerMinute ${admitPerMinute ?? 'unlimited'}, doorSeconds ${doorSeconds}, passSeconds ${passSeconds}, graceSeconds ${graceSeconds}`

/** "−0:50", "12:05", "1:02:05". */
function clock(seconds: number): string {
  const whole = Math.round(Math.abs(seconds))
  const [hours, minutes, rest] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60]
  const sign = seconds < 0 && whole > 0 ? '−' : ''
  return `${sign}${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(rest)}`
}

const two = (value: number) => String(value).padStart(2, '0')
