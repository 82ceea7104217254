// Decides which screen belongs to which address; each is loaded when first shown.
import { m } from '#messages'
import type { Component } from 'svelte'

/** The parts of an address a screen may need; '' where its pattern has none. */
export interface RouteParams {
  eventId: string
  bookingId: string
  ticketId: string
}
export interface ScreenProps {
  params: RouteParams
}
export interface Route {
  /** Segments, `:name` for a part. */
  pattern: string
  title: () => string
  /** Sends a visitor to sign in first, and back here after. */
  account?: boolean
  /** Uses the whole width: the seat map. */
  wide?: boolean
  load: () => Promise<Screen>
}

type Screen = { default: Component<ScreenProps> }
/** A screen without need of the address's parts declares no props; it is given them all the same. */
const screen = (load: () => Promise<{ default: unknown }>) => load as () => Promise<Screen>

export const ROUTES: readonly Route[] = [
  { pattern: '/', title: m.shell_events, load: screen(() => import('./screens/Events.svelte')) },
  {
    pattern: '/events/:eventId',
    title: m.shell_title_event,
    load: screen(() => import('./screens/Event.svelte')),
  },
  {
    pattern: '/events/:eventId/room',
    title: m.shell_title_room,
    account: true,
    load: screen(() => import('./screens/Room.svelte')),
  },
  {
    pattern: '/events/:eventId/invitation',
    title: m.shell_title_invitation,
    load: screen(() => import('./screens/Invitation.svelte')),
  },
  {
    pattern: '/events/:eventId/seats',
    title: m.shell_title_seats,
    wide: true,
    load: screen(() => import('./screens/Seats.svelte')),
  },
  {
    pattern: '/checkout/:bookingId',
    title: m.shell_title_checkout,
    account: true,
    load: screen(() => import('./screens/Checkout.svelte')),
  },
  {
    pattern: '/bookings/:bookingId/confirmed',
    title: m.shell_title_thanks,
    account: true,
    load: screen(() => import('./screens/Confirmed.svelte')),
  },
  {
    pattern: '/bookings',
    title: m.shell_my_bookings,
    account: true,
    load: screen(() => import('./screens/Bookings.svelte')),
  },
  {
    pattern: '/tickets',
    title: m.shell_my_tickets,
    account: true,
    load: screen(() => import('./screens/Tickets.svelte')),
  },
  {
    pattern: '/tickets/:ticketId',
    title: m.shell_title_ticket,
    account: true,
    load: screen(() => import('./screens/Ticket.svelte')),
  },
  {
    pattern: '/account',
    title: m.shell_title_account,
    account: true,
    load: screen(() => import('./screens/Account.svelte')),
  },
  { pattern: '/login', title: m.shell_sign_in, load: screen(() => import('./screens/Login.svelte')) },
  {
    pattern: '/register',
    title: m.shell_register,
    load: screen(() => import('./screens/Register.svelte')),
  },
  {
    pattern: '/verify',
    title: m.shell_title_verify,
    load: screen(() => import('./screens/Verify.svelte')),
  },
  {
    pattern: '/forgot',
    title: m.shell_title_forgot,
    load: screen(() => import('./screens/Forgot.svelte')),
  },
  {
    pattern: '/reset',
    title: m.shell_title_reset,
    load: screen(() => import('./screens/Reset.svelte')),
  },
  {
    pattern: '/door',
    title: m.scan_title,
    account: true,
    load: screen(() => import('./screens/Door.svelte')),
  },
  {
    pattern: '/organise',
    title: m.shell_title_organise,
    account: true,
    load: screen(() => import('./screens/organiser/MyEvents.svelte')),
  },
  {
    pattern: '/organise/new',
    title: m.shell_title_new,
    account: true,
    load: screen(() => import('./screens/organiser/NewEvent.svelte')),
  },
  {
    pattern: '/organise/new/when',
    title: m.shell_title_new,
    account: true,
    load: screen(() => import('./screens/organiser/NewEventWhen.svelte')),
  },
  {
    pattern: '/organise/:eventId',
    title: m.shell_title_manage,
    account: true,
    load: screen(() => import('./screens/organiser/Overview.svelte')),
  },
  {
    pattern: '/organise/:eventId/details',
    title: m.shell_title_details,
    account: true,
    load: screen(() => import('./screens/organiser/Details.svelte')),
  },
  {
    pattern: '/organise/:eventId/when',
    title: m.draft_step_when,
    account: true,
    load: screen(() => import('./screens/organiser/When.svelte')),
  },
  {
    pattern: '/organise/:eventId/seats',
    title: m.shell_title_sections,
    account: true,
    load: screen(() => import('./screens/organiser/Sections.svelte')),
  },
  {
    pattern: '/organise/:eventId/block',
    title: m.shell_title_block,
    account: true,
    load: screen(() => import('./screens/organiser/Block.svelte')),
  },
  {
    pattern: '/organise/:eventId/room',
    title: m.shell_title_run,
    account: true,
    load: screen(() => import('./screens/organiser/RoomDesk.svelte')),
  },
  {
    pattern: '/organise/:eventId/desk',
    title: m.shell_title_desk,
    account: true,
    load: screen(() => import('./screens/organiser/LiveDesk.svelte')),
  },
  {
    pattern: '/organise/:eventId/bookings',
    title: m.organise_bookings,
    account: true,
    load: screen(() => import('./screens/organiser/Sales.svelte')),
  },
  {
    pattern: '/admin/operation',
    title: m.admin_operation,
    account: true,
    load: screen(() => import('./screens/admin/Operation.svelte')),
  },
  {
    pattern: '/admin',
    title: m.shell_title_users,
    account: true,
    load: screen(() => import('./screens/admin/Users.svelte')),
  },
  {
    pattern: '/admin/roles',
    title: m.shell_title_roles,
    account: true,
    load: screen(() => import('./screens/admin/Roles.svelte')),
  },
]

export const NOT_FOUND: Route = {
  pattern: '*',
  title: m.shell_nothing,
  load: screen(() => import('./screens/NotFound.svelte')),
}

export function findRoute(path: string): { route: Route; params: RouteParams } {
  const segments = path.split('/').filter(Boolean)
  for (const route of ROUTES) {
    const params = matchPattern(route.pattern.split('/').filter(Boolean), segments)
    if (params) return { route, params }
  }
  return { route: NOT_FOUND, params: { eventId: '', bookingId: '', ticketId: '' } }
}

function matchPattern(pattern: string[], segments: string[]): RouteParams | null {
  if (pattern.length !== segments.length) return null
  const params: Record<string, string> = {}
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? ''
    if (part.startsWith(':')) params[part.slice(1)] = decode(segment)
    else if (part !== segment) return null
  }
  return { eventId: '', bookingId: '', ticketId: '', ...params }
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
