// Decides how an organiser's words become the ledger's, and the ledger's refusals an answer.
import type { Event, EventChange, EventOutcome } from '../../db/events.ts'
import type { Problem } from '../../db/event-rules.ts'
import { Refusal } from '../errors.ts'
import { instantOf } from '../instant.ts'
import type { CreateEventBody, UpdateEventBody } from '../protocol/http.ts'

/** An unreadable date stays one, so that the ledger's rules name its field. */
export const newEventFields = ({ startsAt, onSaleAt, ...rest }: CreateEventBody) => ({
  ...rest,
  startsAt: instantOf(startsAt),
  ...(onSaleAt === undefined ? {} : { onSaleAt: onSaleAt === null ? null : instantOf(onSaleAt) }),
})

export const eventChange = ({ startsAt, onSaleAt, ...rest }: UpdateEventBody): EventChange => ({
  ...rest,
  ...(startsAt === undefined ? {} : { startsAt: instantOf(startsAt) }),
  ...(onSaleAt === undefined ? {} : { onSaleAt: onSaleAt === null ? null : instantOf(onSaleAt) }),
})

/** The event, or the refusal thrown. */
export function eventOf(outcome: EventOutcome): Event {
  if (outcome.ok) return outcome.event
  if (outcome.refusal === 'request_invalid') throw invalidRequest(outcome.problems)
  if (outcome.refusal === 'event_not_on_sale') throw cancelled()
  throw new Refusal(outcome.refusal)
}

export const cancelled = () => new Refusal('event_not_on_sale', { message: 'This event is cancelled.' })

export function invalidRequest(problems: Problem[]): Refusal {
  const [first] = problems
  const message = first ? `${first.path}: ${first.message}` : 'The request is not valid.'
  return new Refusal('request_invalid', { message, details: problems })
}
