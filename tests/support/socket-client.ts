// Owns a socket as a client of a test holds it: what came in, and waiting for a frame or the close with a deadline.
import { Compile } from 'typebox/compile'
import { SERVER_FRAMES, type ServerFrame } from '../../server/protocol/socket.ts'

const WITHIN_MS = 8_000

export type FrameOf<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>

export interface TestSocket {
  frames: ServerFrame[]
  raw: WebSocket
  send(frame: object): void
  /** The first frame of a type not yet taken that fits; later ones stay. */
  next<T extends ServerFrame['type']>(
    type: T,
    fits?: (frame: FrameOf<T>) => boolean,
    withinMs?: number,
  ): Promise<FrameOf<T>>
  has(type: ServerFrame['type']): boolean
  closed(withinMs?: number): Promise<{ code: number; reason: string }>
  close(): void
  /** As a lost connection: no close frame. */
  drop(): void
}

const open = new Set<WebSocket>()
/** What servers sent that the protocol does not know; the next wait, or the end of the test, fails with it. */
const undocumented: string[] = []
const checks = Object.fromEntries(
  Object.entries(SERVER_FRAMES).map(([type, schema]) => [
    type,
    { known: new Set(Object.keys(schema.properties)), compiled: Compile(schema) },
  ]),
)

/** Why a frame is not one of the protocol; null when it is. Stricter than a client: unknown fields are faults too. */
export function frameFault(frame: unknown): string | null {
  const fields = frame as Record<string, unknown>
  const check = checks[String(fields['type'])]
  if (!check) return `a frame of an unknown type: ${JSON.stringify(frame)}`
  const unknown = Object.keys(fields).filter((field) => !check.known.has(field))
  if (unknown.length > 0) return `${String(fields['type'])} has undocumented fields: ${unknown.join(', ')}`
  return check.compiled.Check(frame) ? null : `not as documented: ${JSON.stringify(frame)}`
}

function failIfUndocumented(): void {
  const faults = undocumented.splice(0)
  if (faults.length > 0) throw new Error(faults[0])
}

/** Opens a socket; resolves once it is open or has been refused. */
export async function openSocket(
  url: string,
  eventId: string,
  { token, headers = {} }: { token?: string; headers?: Record<string, string> } = {},
): Promise<TestSocket> {
  const options = { headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers } }
  const raw = new WebSocket(`${url.replace('http', 'ws')}/ws/event/${eventId}`, options as never)
  open.add(raw)
  const frames: ServerFrame[] = []
  const taken = new Set<ServerFrame>()
  let closing: { code: number; reason: string } | null = null
  let changed = Promise.withResolvers<void>()
  const signal = () => {
    changed.resolve()
    changed = Promise.withResolvers()
  }
  raw.addEventListener('message', ({ data }) => {
    const frame = JSON.parse(String(data)) as ServerFrame
    const fault = frameFault(frame)
    if (fault) undocumented.push(fault)
    frames.push(frame)
    signal()
  })
  raw.addEventListener('close', ({ code, reason }) => {
    open.delete(raw)
    closing = { code, reason }
    signal()
  })
  await new Promise<void>((resolve) => {
    raw.addEventListener('open', () => resolve())
    raw.addEventListener('close', () => resolve())
    raw.addEventListener('error', () => resolve())
  })

  async function until<T>(read: () => T | null, what: string, withinMs: number): Promise<T> {
    const deadline = Date.now() + withinMs
    for (;;) {
      failIfUndocumented()
      const found = read()
      if (found !== null) return found
      const left = deadline - Date.now()
      if (left <= 0)
        throw new Error(`no ${what} within ${withinMs} ms; got ${JSON.stringify(frames.slice(-8))}`)
      await Promise.race([changed.promise, Bun.sleep(left)])
    }
  }
  return {
    frames,
    raw,
    send: (frame) => raw.send(JSON.stringify(frame)),
    async next(type, fits = () => true, withinMs = WITHIN_MS) {
      const frame = await until(
        () => frames.find((each) => each.type === type && !taken.has(each) && fits(each as never)) ?? null,
        type,
        withinMs,
      )
      taken.add(frame)
      return frame as never
    },
    has: (type) => frames.some((frame) => frame.type === type && !taken.has(frame)),
    closed: (withinMs = WITHIN_MS) => until(() => closing, 'close', withinMs),
    close: () => raw.close(),
    drop: () => terminate(raw),
  }
}

/** Bun's own addition to WebSocket. */
const terminate = (socket: WebSocket) => (socket as WebSocket & { terminate(): void }).terminate()

/** For afterEach: whatever a failed test left open. */
export function closeSockets(): void {
  for (const socket of open) terminate(socket)
  open.clear()
  failIfUndocumented()
}

/** Waits for a condition; throws when it does not come true in time. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = WITHIN_MS,
) {
  const deadline = Date.now() + withinMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`)
    await Bun.sleep(20)
  }
}
