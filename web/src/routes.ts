// Decides which screen belongs to which address; each is loaded when first shown.
import type { Component } from 'svelte'

/** The parts of an address a screen may need; '' where its pattern has none. */
export interface RouteParams {
  eventId: string
  bookingId: string
}
export interface ScreenProps {
  params: RouteParams
}
export interface Route {
  /** Segments, `:name` for a part. */
  pattern: string
  title: string
  /** Sends a visitor to sign in first, and back here after. */
  account?: boolean
  /** Uses the whole width: the seat map. */
  wide?: boolean
  load: () => Promise<Screen>
}

type Screen = { default: Component<ScreenProps> }
/** A screen without need of the address's parts declares no props; it is given them all the same. */
const screen = (load: () => Promise<{ default: unknown }>) => load as () => Promise<Screen>

const ROUTES: Route[] = [
  { pattern: '/', title: 'Events', load: screen(() => import('./screens/Events.svelte')) },
  { pattern: '/events/:eventId', title: 'Event', load: screen(() => import('./screens/Event.svelte')) },
  {
    pattern: '/events/:eventId/room',
    title: 'Waiting room',
    account: true,
    load: screen(() => import('./screens/Room.svelte')),
  },
  {
    pattern: '/events/:eventId/invitation',
    title: 'Invitation',
    load: screen(() => import('./screens/Invitation.svelte')),
  },
  {
    pattern: '/events/:eventId/seats',
    title: 'Choose seats',
    wide: true,
    load: screen(() => import('./screens/Seats.svelte')),
  },
  {
    pattern: '/checkout/:bookingId',
    title: 'Checkout',
    account: true,
    load: screen(() => import('./screens/Checkout.svelte')),
  },
  {
    pattern: '/bookings/:bookingId/confirmed',
    title: 'Thank you',
    account: true,
    load: screen(() => import('./screens/Confirmed.svelte')),
  },
  {
    pattern: '/bookings',
    title: 'My bookings',
    account: true,
    load: screen(() => import('./screens/Bookings.svelte')),
  },
  {
    pattern: '/tickets',
    title: 'My tickets',
    account: true,
    load: screen(() => import('./screens/Tickets.svelte')),
  },
  {
    pattern: '/account',
    title: 'Account',
    account: true,
    load: screen(() => import('./screens/Account.svelte')),
  },
  { pattern: '/login', title: 'Sign in', load: screen(() => import('./screens/Login.svelte')) },
  {
    pattern: '/register',
    title: 'Create an account',
    load: screen(() => import('./screens/Register.svelte')),
  },
  {
    pattern: '/verify',
    title: 'Confirm your address',
    load: screen(() => import('./screens/Verify.svelte')),
  },
  {
    pattern: '/forgot',
    title: 'Forgotten password',
    load: screen(() => import('./screens/Forgot.svelte')),
  },
  {
    pattern: '/reset',
    title: 'Choose a new password',
    load: screen(() => import('./screens/Reset.svelte')),
  },
  {
    pattern: '/organise',
    title: 'My events',
    account: true,
    load: screen(() => import('./screens/organiser/MyEvents.svelte')),
  },
  {
    pattern: '/organise/new',
    title: 'Create an event',
    account: true,
    load: screen(() => import('./screens/organiser/NewEvent.svelte')),
  },
  {
    pattern: '/organise/:eventId',
    title: 'Manage event',
    account: true,
    load: screen(() => import('./screens/organiser/Overview.svelte')),
  },
  {
    pattern: '/organise/:eventId/details',
    title: 'Event details',
    account: true,
    load: screen(() => import('./screens/organiser/Details.svelte')),
  },
  {
    pattern: '/organise/:eventId/seats',
    title: 'Sections and seats',
    account: true,
    load: screen(() => import('./screens/organiser/Sections.svelte')),
  },
  {
    pattern: '/organise/:eventId/block',
    title: 'Seats off sale',
    account: true,
    load: screen(() => import('./screens/organiser/Block.svelte')),
  },
  {
    pattern: '/organise/:eventId/room',
    title: 'Run the waiting room',
    account: true,
    load: screen(() => import('./screens/organiser/RoomDesk.svelte')),
  },
  {
    pattern: '/organise/:eventId/desk',
    title: 'Live desk',
    account: true,
    load: screen(() => import('./screens/organiser/LiveDesk.svelte')),
  },
  {
    pattern: '/admin',
    title: 'Users',
    account: true,
    load: screen(() => import('./screens/admin/Users.svelte')),
  },
  {
    pattern: '/admin/roles',
    title: 'Roles',
    account: true,
    load: screen(() => import('./screens/admin/Roles.svelte')),
  },
]

const NOT_FOUND: Route = {
  pattern: '*',
  title: 'Nothing here',
  load: screen(() => import('./screens/NotFound.svelte')),
}

export function findRoute(path: string): { route: Route; params: RouteParams } {
  const segments = path.split('/').filter(Boolean)
  for (const route of ROUTES) {
    const params = matchPattern(route.pattern.split('/').filter(Boolean), segments)
    if (params) return { route, params }
  }
  return { route: NOT_FOUND, params: { eventId: '', bookingId: '' } }
}

function matchPattern(pattern: string[], segments: string[]): RouteParams | null {
  if (pattern.length !== segments.length) return null
  const params: Record<string, string> = {}
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? ''
    if (part.startsWith(':')) params[part.slice(1)] = decode(segment)
    else if (part !== segment) return null
  }
  return { eventId: '', bookingId: '', ...params }
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
