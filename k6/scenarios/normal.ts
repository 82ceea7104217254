// Question:   is an ordinary evening, many people each looking, choosing and paying, answered as quickly as it should be?
// Shape:      10 visits a second for 60 s by 600 different people on 3,000 seats of their own event, without a room.
// Thresholds: every visit ends with seats; no unexpected answer; 95 % of pages within 150 ms, of holds 200 ms, of payments 300 ms.
import exec from 'k6/execution'
import { undisturbed } from '../lib/faults.ts'
import { openSale, type Sale } from '../lib/sale.ts'
import { size, within } from '../lib/size.ts'
import { visit } from '../lib/visit.ts'
export { handleSummary } from '../lib/summary.ts'

const RATE = size('RATE', 10)
const SECONDS = size('SECONDS', 60)
const SEATS = size('SEATS', 3_000)

export const options = {
  setupTimeout: '2m',
  scenarios: {
    evening: {
      executor: 'constant-arrival-rate',
      rate: RATE,
      duration: `${SECONDS}s`,
      preAllocatedVUs: 4 * RATE,
    },
  },
  thresholds: {
    unexpected_answers: ['count==0'],
    ...undisturbed,
    dropped_iterations: ['count==0'],
    visits_served: [`count>=${RATE * SECONDS}`],
    'http_req_duration{name:event}': [within(150)],
    'http_req_duration{name:map}': [within(150)],
    'http_req_duration{name:availability}': [within(150)],
    'http_req_duration{name:hold}': [within(200)],
    'http_req_duration{name:pay}': [within(300)],
  },
}

export const setup = () => openSale({ name: 'normal', seats: SEATS, buyers: RATE * SECONDS })

export default ({ eventId, tokens }: Sale): Promise<void> =>
  visit({ eventId, token: tokens[exec.scenario.iterationInTest % tokens.length]! })
