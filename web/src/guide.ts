// Decides which steps lead to a published event, where each is, and which of them are done.
import { m } from '#messages'
import type { EventView } from '../../server/protocol/http.ts'

export interface GuideStep {
  text: string
  /** Null while there is nowhere to go. */
  href: string | null
  done: boolean
}

/** @param event null while it was never saved; `named`: what and where are typed */
export function guideSteps(event: EventView | null, named = false): GuideStep[] {
  const root = event && `/organise/${event.id}`
  return [
    {
      text: m.draft_step_what(),
      href: root ? `${root}/details` : '/organise/new',
      done: root !== null || named,
    },
    {
      text: m.draft_step_when(),
      href: root ? `${root}/when` : named ? '/organise/new/when' : null,
      done: root !== null,
    },
    { text: m.draft_step_seats(), href: root && `${root}/seats`, done: (event?.seats.total ?? 0) > 0 },
    { text: m.draft_step_check(), href: root, done: false },
  ]
}
