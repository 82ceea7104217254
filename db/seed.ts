// Owns what a fresh ledger holds: the permissions, the roles that have them, and the demo.
import { and, eq, gt, ne, sql } from 'drizzle-orm'
import { giveRole, normalEmail, PASSWORD_HASH } from './accounts.ts'
import { inTransaction, type Db } from './client.ts'
import { createEvent, publishEvent } from './events.ts'
import { saveRoom, type RoomChoice } from './rooms.ts'
import { accounts, events, permissions, rolePermissions, roles } from './schema.ts'
import { createSeats, type NewSection } from './seats.ts'

/** Permission → what it lets somebody do. Every permission a route may ask for is here, and no other. */
export const PERMISSION_CATALOGUE: Record<string, string> = {
  'user:manage': 'See accounts and give them roles',
  'role:assign': 'Add permissions to a role',
  'role:permission:read:all': 'See the permissions of every role',
  'role:permission:remove': 'Take permissions from a role',
  'event:create': 'Create events',
  'event:update:own': 'Change, publish and cancel own events',
  'event:delete:own': 'Delete own events',
  'event:stats:own': 'See sales of own events',
  'seat:manage:own': 'Create and block seats of own events',
  'room:manage:own': 'Run the waiting room of own events',
  'booking:create:own': 'Book seats',
  'booking:read:own': 'See own bookings',
  'booking:cancel:own': 'Release own bookings',
  'booking:read:all': 'See the bookings of own events',
  'payment:confirm:own': 'Pay own bookings',
  'payment:refund:own': 'Refund bookings of own events',
  'ticket:scan': 'Admit ticket holders at the door',
  'operation:read:all': 'See what was given up, what audits found and when holds stood still',
  'operation:retry': 'Have what was given up tried again',
}

const BUYING = ['booking:create:own', 'booking:read:own', 'booking:cancel:own', 'payment:confirm:own']
const ORGANIZING = [
  'event:create',
  'event:update:own',
  'event:delete:own',
  'event:stats:own',
  'seat:manage:own',
  'room:manage:own',
  'booking:read:all',
  'payment:refund:own',
  'ticket:scan',
]

/** Role → what it is for and what it may do in a fresh ledger; administrators may change it afterwards. */
export const ROLE_CATALOGUE: Record<string, { description: string; permissions: string[] }> = {
  USER: { description: 'Buys tickets', permissions: BUYING },
  ORGANIZER: { description: 'Sells tickets to own events', permissions: [...BUYING, ...ORGANIZING] },
  STAFF: { description: 'Works at the door', permissions: ['ticket:scan'] },
  ADMIN: { description: 'May do everything', permissions: Object.keys(PERMISSION_CATALOGUE) },
}

/**
 * Adds the roles and permissions that are missing. Safe at every start and from several processes at once; what an
 * administrator took from a role stays taken, because only a new role or a new permission is granted anything.
 */
export async function seedRoles(db: Db): Promise<void> {
  await inTransaction(db, async (tx) => {
    const newPermissions = await tx
      .insert(permissions)
      .values(
        Object.entries(PERMISSION_CATALOGUE).map(([name, description]) => ({
          id: Bun.randomUUIDv7(),
          name,
          description,
        })),
      )
      .onConflictDoNothing({ target: permissions.name })
      .returning({ name: permissions.name })
    const newRoles = await tx
      .insert(roles)
      .values(
        Object.entries(ROLE_CATALOGUE).map(([name, { description }]) => ({
          id: Bun.randomUUIDv7(),
          name,
          description,
        })),
      )
      .onConflictDoNothing({ target: roles.name })
      .returning({ name: roles.name })
    const isNew = new Set([...newPermissions, ...newRoles].map(({ name }) => name))
    const roleIds = new Map((await tx.select().from(roles)).map(({ id, name }) => [name, id]))
    const permissionIds = new Map((await tx.select().from(permissions)).map(({ id, name }) => [name, id]))
    const grants = Object.entries(ROLE_CATALOGUE).flatMap(([role, { permissions: names }]) =>
      names
        .filter((name) => isNew.has(role) || isNew.has(name))
        .map((name) => ({ roleId: roleIds.get(role)!, permissionId: permissionIds.get(name)! })),
    )
    if (grants.length > 0) await tx.insert(rolePermissions).values(grants).onConflictDoNothing()
  })
}

const DEMO_ACCOUNTS = [
  { key: 'admin', email: 'admin@onsale.test', fullName: 'Ada Admin', role: 'ADMIN' },
  { key: 'organizer', email: 'organizer@onsale.test', fullName: 'Otto Organizer', role: 'ORGANIZER' },
  { key: 'buyer', email: 'buyer@onsale.test', fullName: 'Bea Buyer', role: 'USER' },
] as const
const DEMO_NAME = 'Night Ferry: Live at Harbour Hall'
const DEMO_STARTS_IN_DAYS = 60
const DEMO_SECTIONS: NewSection[] = [
  {
    name: 'Stalls',
    tier: { name: 'Premium', price: 8_900 },
    rows: 16,
    seatsPerRow: 24,
    shape: 'arc',
    // The level entrance is behind the last row.
    access: [{ row: 'P', accessible: ['1', '4', '21', '24'], companion: ['2', '3', '22', '23'] }],
  },
  { name: 'Circle', tier: { name: 'Standard', price: 6_400 }, rows: 10, seatsPerRow: 28, shape: 'arc' },
  {
    name: 'Balcony',
    tier: { name: 'Balcony', price: 3_900 },
    rows: 8,
    seatsPerRow: 22,
    numbering: 'odd-even',
    shape: 'straight',
  },
  { name: 'Floor', tier: { name: 'Standing', price: 4_900 }, capacity: 360 },
]
/** Small enough that a crowd of a few hundred shows a line that moves. */
const DEMO_ROOM: RoomChoice = {
  enabled: true,
  lobbyAt: null,
  activeMax: 100,
  admitPerMinute: 600,
  doorSeconds: 60,
  passSeconds: 600,
  graceSeconds: 300,
}

export interface Demo {
  eventId: string
  accounts: { email: string; role: string }[]
}

/**
 * Makes the demo's accounts, with the given passwords, and an event on sale with its room open. Finds what an earlier
 * start left, finishes what one did not, and makes a new event when the old one is over or cancelled.
 */
export async function seedDemo(
  db: Db,
  {
    passwords,
    now = new Date(),
  }: { passwords: Record<(typeof DEMO_ACCOUNTS)[number]['key'], string>; now?: Date },
): Promise<Demo> {
  let organizerId = ''
  for (const { key, email, fullName, role } of DEMO_ACCOUNTS) {
    const id = await seedAccount(db, { email, fullName, role, password: passwords[key], now })
    if (role === 'ORGANIZER') organizerId = id
  }
  const eventId = (await findDemoEvent(db, organizerId, now)) ?? (await createDemoEvent(db, organizerId, now))
  return { eventId, accounts: DEMO_ACCOUNTS.map(({ email, role }) => ({ email, role })) }
}

async function seedAccount(
  db: Db,
  demo: { email: string; fullName: string; role: string; password: string; now: Date },
): Promise<string> {
  const passwordHash = await Bun.password.hash(demo.password, PASSWORD_HASH)
  return inTransaction(db, async (tx) => {
    const [account] = await tx
      .insert(accounts)
      .values({
        id: Bun.randomUUIDv7(),
        email: normalEmail(demo.email),
        fullName: demo.fullName,
        passwordHash,
        verifiedAt: demo.now,
      })
      .onConflictDoUpdate({ target: accounts.email, set: { passwordHash } })
      .returning({ id: accounts.id, isNew: sql<boolean>`xmax = 0` })
    if (!account) throw new Error('an upserted account was not returned')
    if (account.isNew) await giveRole(tx, account.id, demo.role)
    return account.id
  })
}

async function findDemoEvent(db: Db, ownerId: string, now: Date): Promise<string | null> {
  const [event] = await db
    .select({ id: events.id, status: events.status })
    .from(events)
    .where(
      and(
        eq(events.ownerId, ownerId),
        eq(events.name, DEMO_NAME),
        ne(events.status, 'CANCELLED'),
        gt(events.startsAt, now),
      ),
    )
    .orderBy(events.id)
    .limit(1)
  if (!event) return null
  if (event.status === 'DRAFT') await finishDemoEvent(db, event.id)
  return event.id
}

async function createDemoEvent(db: Db, ownerId: string, now: Date): Promise<string> {
  const startsAt = new Date(now.getTime() + DEMO_STARTS_IN_DAYS * 24 * 3600 * 1000)
  startsAt.setUTCHours(19, 0, 0, 0)
  const made = await createEvent(
    db,
    {
      ownerId,
      name: DEMO_NAME,
      description: 'One night, 1,200 places, and more people than that. A demo: no money moves.',
      location: 'Harbour Hall, Pier 4',
      startsAt,
      timeZone: 'Europe/Berlin',
      currency: 'EUR',
    },
    now,
  )
  if (!made.ok) throw new Error(`the demo event was refused: ${made.refusal}`)
  await finishDemoEvent(db, made.event.id)
  return made.event.id
}

/** Each step is safe to repeat, so a start cut short is finished by the next. */
async function finishDemoEvent(db: Db, eventId: string): Promise<void> {
  const seated = await createSeats(db, eventId, DEMO_SECTIONS)
  if (!seated.ok) throw new Error(`the demo seats were refused: ${seated.refusal}`)
  await saveRoom(db, eventId, DEMO_ROOM)
  const published = await publishEvent(db, eventId)
  if (!published.ok) throw new Error(`the demo event was not published: ${published.refusal}`)
}
