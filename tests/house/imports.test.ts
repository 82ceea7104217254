// Holds every import against the doors: who may import whom.
import { Glob } from 'bun'
import { expect, test } from 'bun:test'
import { dirname, join, relative } from 'node:path'

const ROOT = join(import.meta.dir, '../..')
const ROOMS = ['db', 'server', 'worker', 'web', 'dev', 'tests', 'k6'] as const
type Room = (typeof ROOMS)[number]

/** The folders (first match wins) and the project's folders each may reach into, its own included. */
const DOORS: [folder: string, may: string[]][] = [
  ['server/protocol', ['server/protocol']],
  [
    'server/room',
    [
      'server/room',
      'server/protocol',
      'server/*',
      'db/rooms',
      'db/priority',
      'db/invitations',
      'db/steps',
      'db/draws',
      'db/redis',
      'db/client',
      'db/lifecycle',
      'server/auth',
      'server/events/availability',
    ],
  ],
  ['db', ['db']],
  ['server', ['server', 'db', 'package.json']],
  ['worker', ['worker', 'db', 'package.json']],
  ['web', ['web', 'server/protocol']],
]
/** The packages a folder must do without: the protocol is read by the browser, the ledger knows no HTTP. */
const PACKAGES_REFUSED: Record<string, RegExp> = {
  'server/protocol': /^(?!typebox|@sinclair\/typebox)/,
  db: /^(elysia|@elysiajs|svelte|nodemailer)/,
  worker: /^(elysia|@elysiajs|svelte)/,
  // Runs where the window is built, not in it.
  'web/build': /^(elysia|@elysiajs|drizzle-orm|postgres|ioredis|bullmq|prom-client|bun)/,
  web: /^(elysia|@elysiajs|drizzle-orm|postgres|ioredis|bullmq|prom-client|node:|bun)/,
}

interface Import {
  from: string
  to: string
  typeOnly: boolean
}

const IMPORT = /^\s*(?:import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm

async function importsOf(room: Room): Promise<Import[]> {
  const found: Import[] = []
  for await (const file of new Glob(`${room}/**/*.{ts,svelte,mjs}`).scan({ cwd: ROOT })) {
    if (/(^|\/)(node_modules|dist)\//.test(file)) continue
    const text = await Bun.file(join(ROOT, file)).text()
    for (const [, type, to] of text.matchAll(IMPORT))
      if (to) found.push({ from: file, to, typeOnly: type !== undefined })
  }
  return found
}

const resolve = ({ from, to }: Import) => relative(ROOT, join(ROOT, dirname(from), to))
const within = (path: string, folder: string) =>
  folder.endsWith('/*')
    ? path.startsWith(folder.slice(0, -1)) && !path.slice(folder.length - 1).includes('/')
    : path === folder || path.startsWith(`${folder}/`) || path.startsWith(`${folder}.`)

function violation(found: Import): string | null {
  const door = DOORS.find(([folder]) => within(found.from, folder))
  if (!door) return null
  if (found.to.startsWith('.')) {
    const target = resolve(found)
    return door[1].some((folder) => within(target, folder)) ? null : `${found.from} reaches into ${target}`
  }
  const refused = Object.entries(PACKAGES_REFUSED).find(([folder]) => within(found.from, folder))?.[1]
  return refused?.test(found.to) && !found.typeOnly ? `${found.from} uses the package ${found.to}` : null
}

test('every room is entered by its door only', async () => {
  const all = (await Promise.all(ROOMS.map(importsOf))).flat()
  expect(all.length).toBeGreaterThan(100)
  expect(all.map(violation).filter((found) => found !== null)).toEqual([])
})

const caught = (from: string, to: string) => violation({ from, to, typeOnly: false }) !== null

test('the rules catch what they are for', () => {
  expect(caught('db/events.ts', '../server/errors.ts')).toBe(true)
  expect(caught('worker/main.ts', '../server/config.ts')).toBe(true)
  expect(caught('web/src/main.ts', '../../db/schema.ts')).toBe(true)
  expect(caught('web/src/main.ts', '../../server/errors.ts')).toBe(true)
  expect(caught('server/protocol/codes.ts', 'elysia')).toBe(true)
  expect(caught('server/room/room.ts', '../../db/bookings/hold-seats.ts')).toBe(true)
  expect(caught('server/room/room.ts', '../protocol/codes.ts')).toBe(false)
  expect(caught('web/src/main.ts', '../../server/protocol/codes.ts')).toBe(false)
})
