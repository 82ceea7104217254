// Decides how a rehearsal is told: the curve of the wait, the sale in figures of the day itself, and the verdict.
import type { CrowdProgress } from '../crowd/report.ts'
import type { RoomPlan } from './shadow.ts'
import type { Rehearsed, Verdict } from './verdict.ts'
import type { Reservations } from './watch.ts'

const LINES = 12
const WIDE = 40

export function drawVerdict(rehearsed: Rehearsed, verdict: Verdict): string {
  const { report, progress, speed, seats, sold, planned, serverCore, reservations } = rehearsed
  const { go, reasons, allHeldSeconds, sellOutSeconds, bottleneck, recommended, why } = verdict
  const onTheDay = (seconds: number) => clock(seconds * speed)
  const figures: [string, string][] = [
    ['no seat free', allHeldSeconds === null ? 'never' : `for the first time after ${clock(allHeldSeconds)}`],
    [
      'sold out',
      sellOutSeconds === null ? `no: ${sold} of ${seats} seats` : `after ${clock(sellOutSeconds)}`,
    ],
    ...(report
      ? ([
          [
            'wait',
            `half ${onTheDay(report.lineSeconds.p50)}, 95 % ${onTheDay(report.lineSeconds.p95)}, longest ${onTheDay(report.lineSeconds.max)}`,
          ],
          ['reservations', drawReservations(reservations)],
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

/** Milliseconds are the machine's own, at whatever speed. */
function drawReservations({ calm, shaken }: Reservations): string {
  const away = `; of ${shaken.count} around the death of Redis half ${shaken.p50} ms, the slowest ${shaken.max} ms`
  return `half within ${calm.p50} ms, 95 % ${calm.p95} ms (not sped up)${shaken.count > 0 ? away : ''}`
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
