// Owns the waiting room for whoever has no JavaScript: the same place over the same API, as a page that asks again by itself.
import { join } from 'node:path'
import { isOwnOrigin } from './auth/origin.ts'
import { passOn } from './call.ts'
import type { EntrantView, EventView } from './protocol/http.ts'
import { chooseLanguage } from './window-language.ts'

const DIST = join(import.meta.dir, '../web/dist')
const PATH = /^\/events\/([0-9a-f-]{1,40})\/room$/
const MOVES: ReadonlySet<string> = new Set(['join', 'claim', 'leave'])
/** Never asked more often, nor more rarely; while nobody answers, the latter. */
const ASK_SECONDS_MIN = 5
const ASK_SECONDS_MAX = 60
/** What a form of ours can hold. */
const FORM_BYTES_MAX = 4_096
const SPOKEN = ['en', 'id']
const STYLE =
  ':root{color-scheme:light dark}body{max-width:34rem;margin:0 auto;padding:1.5rem;font:1rem/1.55 system-ui,sans-serif}h1{font:500 2rem/1.2 Georgia,serif}button{font:inherit;font-weight:600;padding:.6rem 1.2rem}label{display:block;margin:.8rem 0}input{display:block;font:inherit;width:100%;padding:.5rem}'
const POLICY = `default-src 'none'; style-src 'sha256-${new Bun.CryptoHasher('sha256').update(STYLE).digest('base64')}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`

type Words = Record<string, string>
type Ask = (request: Request, path: string) => Promise<Response>
interface Parts {
  /** Answers a call of the API, with everything the API asks of a caller. */
  ask: Ask
  publicUrl: string
}

/** Answers the page and its forms; undefined for every other request. */
export function createPlainRoom({ ask, publicUrl }: Parts) {
  return (request: Request, path: string): Promise<Response> | undefined => {
    const eventId = PATH.exec(path)?.[1]
    if (eventId === undefined || !new URL(request.url).searchParams.has('plain')) return undefined
    const room: PlainRoom = { request, path, api: `/api/v1/event/${eventId}/room`, ask }
    if (request.method === 'POST') return takeForm(room, publicUrl)
    return showPage(room)
  }
}

interface PlainRoom {
  request: Request
  path: string
  api: string
  ask: Ask
}

/** The call as the browser itself would make it. */
function call({ request, ask }: PlainRoom, path: string, body?: unknown): Promise<Response> {
  const headers = new Headers({ accept: 'application/json' })
  for (const name of ['cookie', 'origin', 'host', 'user-agent', 'x-forwarded-for']) {
    const value = request.headers.get(name)
    if (value !== null) headers.set(name, value)
  }
  if (body !== undefined) headers.set('content-type', 'application/json')
  const asked = new Request(new URL(path, request.url), {
    method: body === undefined ? 'GET' : 'POST',
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  passOn(request, asked)
  return ask(asked, path)
}

async function takeForm(room: PlainRoom, publicUrl: string): Promise<Response> {
  const { request, path } = room
  if (!isOwnOrigin({ publicUrl }, request.headers)) return new Response('Forbidden', { status: 403 })
  if (Number(request.headers.get('content-length') ?? Infinity) > FORM_BYTES_MAX)
    return new Response('Content Too Large', { status: 413 })
  const form = new URLSearchParams(await request.text())
  const move = form.get('move') ?? ''
  const headers = new Headers({ location: `${path}?plain` })
  if (move === 'login') {
    const { email, password } = { email: form.get('email') ?? '', password: form.get('password') ?? '' }
    const answer = await call(room, '/api/v1/auth/login', { email, password })
    for (const cookie of answer.headers.getSetCookie()) headers.append('set-cookie', cookie)
    if (!answer.ok) headers.set('location', `${path}?plain&wrong`)
  } else if (MOVES.has(move)) await call(room, `${room.api}/${move}`, {})
  return new Response(null, { status: 303, headers })
}

async function showPage(room: PlainRoom): Promise<Response> {
  const language = chooseLanguage(room.request.headers, SPOKEN)
  const words = await wordsOf(language)
  const [answer, timeZone] = await Promise.all([call(room, `${room.api}/me`), zoneOf(room)])
  const told = (await answer.json().catch(() => ({}))) as { data?: EntrantView }
  const say = (at: string) => sayTime(at, language, timeZone)
  const parts =
    answer.ok && told.data
      ? standing(told.data, { words, path: room.path, say })
      : signIn(answer.status, words, room)
  const html = `<!doctype html><html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">${parts.seconds === null ? '' : `<meta http-equiv="refresh" content="${parts.seconds}">`}<title>${safe(words['plain_title'])} · Onsale</title><style>${STYLE}</style></head><body><main>${parts.body}<p><small>${safe(words['plain_no_script'])}</small></p></main></body></html>`
  return new Response(html, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-language': language,
      'content-security-policy': POLICY,
      // A form of a page that tells nobody where it is has no Origin, and would be refused.
      'referrer-policy': 'same-origin',
    },
  })
}

interface Drawn {
  body: string
  /** Until the page asks again; null = never by itself. */
  seconds: number | null
}

interface Told {
  words: Words
  path: string
  /** A moment as a clock at the event shows it. */
  say: (at: string) => string
}

function standing(
  { state, ahead, claimBefore, room, pollMs }: EntrantView,
  { words, path, say: time }: Told,
): Drawn {
  const say = (key: string, told: Words = {}) =>
    safe(words[key]?.replace(/\{(\w+)\}/g, (_, name) => told[name] ?? ''))
  const form = (move: string) =>
    `<form method="post" action="${path}?plain"><button name="move" value="${move}">${say(`plain_${move}`)}</button></form>`
  const seconds = Math.min(ASK_SECONDS_MAX, Math.max(ASK_SECONDS_MIN, Math.ceil(pollMs / 1_000)))
  const everyone = room.message ? `<p><strong>${say('plain_notice')}:</strong> ${safe(room.message)}</p>` : ''
  const phase = ['paused', 'sold_out'].includes(room.phase) ? `<p>${say(`plain_${room.phase}`)}</p>` : ''
  const asOf = `<p>${say('plain_at', { time: time(room.serverTime) })}</p>`
  if (state === 'admitted')
    return {
      body: `<h1>${say('plain_in')}</h1><p>${say('plain_in_text')}</p><p><a href="${path.replace(/room$/, 'seats')}">${say('plain_seats')}</a></p>`,
      seconds,
    }
  if (state === 'called')
    return {
      body: `<h1>${say('plain_turn')}</h1>${claimBefore ? `<p>${say('plain_turn_until', { time: time(claimBefore) })}</p>${form('claim')}` : ''}`,
      seconds: ASK_SECONDS_MIN,
    }
  if (room.phase === 'closed') return { body: `<h1>${say('plain_closed')}</h1>${everyone}`, seconds: null }
  if (state === 'waiting') {
    const head = room.phase === 'lobby' ? 'plain_lobby' : ahead === 0 ? 'plain_next' : 'plain_ahead'
    return {
      body: `<h1>${say(head, { count: String(ahead ?? '…') })}</h1>${everyone}${phase}${asOf}${form('leave')}`,
      seconds,
    }
  }
  const way = room.phase === 'scheduled' ? `<p>${say('plain_scheduled')}</p>` : form('join')
  return { body: `<h1>${say('plain_outside')}</h1>${everyone}${way}`, seconds: ASK_SECONDS_MAX }
}

function signIn(status: number, words: Words, { path, request }: PlainRoom): Drawn {
  const say = (key: string) => safe(words[key])
  if (status !== 401)
    return { body: `<h1>${say('plain_title')}</h1><p>${say('plain_busy')}</p>`, seconds: ASK_SECONDS_MAX }
  const wrong = new URL(request.url).searchParams.has('wrong')
    ? `<p role="alert">${say('plain_wrong')}</p>`
    : ''
  return {
    body: `<h1>${say('plain_sign_in')}</h1>${wrong}<form method="post" action="${path}?plain"><label>${say('plain_email')}<input name="email" type="email" autocomplete="username" required></label><label>${say('plain_password')}<input name="password" type="password" autocomplete="current-password" required></label><button name="move" value="login">${say('plain_sign_in')}</button></form>`,
    seconds: null,
  }
}

/** The event's own; without JavaScript nobody knows where the reader is. */
async function zoneOf(room: PlainRoom): Promise<string> {
  const answer = await call(room, room.api.replace(/\/room$/, ''))
  const told = (await answer.json().catch(() => ({}))) as { data?: EventView }
  return told.data?.timeZone ?? 'UTC'
}

/** "20:00:05 GMT+7": the zone by its name, for the reader may be in another one. */
const sayTime = (at: string, language: string, timeZone: string): string =>
  new Intl.DateTimeFormat(language, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZone,
    timeZoneName: 'short',
  }).format(new Date(at))

const kept = new Map<string, Words>()
/** Written by the build beside the pages of the language. */
async function wordsOf(language: string): Promise<Words> {
  const found = kept.get(language)
  if (found) return found
  const words = (await Bun.file(join(DIST, language, 'plain.json')).json()) as Words
  kept.set(language, words)
  return words
}

const safe = (text = ''): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
