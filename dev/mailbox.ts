/** Owns the development mailbox: takes every mail over SMTP, shows it over loopback HTTP, sends nothing on. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { simpleParser } from 'mailparser'
import type { AddressObject, ParsedMail } from 'mailparser'
import { SMTPServer } from 'smtp-server'
import { drawMailbox, PAGE_POLICY } from './mailbox-page.ts'

/** What `GET /messages` answers, newest first. */
export interface Mail {
  to: string
  from: string
  subject: string
  text: string
  html: string
  /** Every http(s) address in the mail, once, in the order of its appearance. */
  links: string[]
  /** ISO 8601. */
  at: string
}

const MOST_MAILS = 500
const MOST_MAIL_BYTES = 2 * 1024 * 1024
const MOST_SMTP_CLIENTS = 50
const SAVE_PAUSE_MS = 50

const file = process.env.MAILBOX_FILE
const mails: Mail[] = file ? readMails(file) : []
let saving: Timer | undefined

const smtp = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS', 'AUTH'],
  disableReverseLookup: true,
  size: MOST_MAIL_BYTES,
  maxClients: MOST_SMTP_CLIENTS,
  onData(stream, session, done) {
    const recipients = session.envelope.rcptTo.map(({ address }) => address)
    simpleParser(stream).then(
      (parsed) => {
        if (stream.sizeExceeded) return done(new Error('this mail is too large'))
        keep(parsed, recipients)
        done()
      },
      (error: Error) => done(error),
    )
  },
})
smtp.on('error', (error) => console.error(`mailbox: ${error.message}`))
smtp.listen(Number(process.env.MAILBOX_SMTP_PORT), '127.0.0.1')

const http = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.env.MAILBOX_HTTP_PORT),
  reusePort: false,
  fetch: answer,
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)

function answer(request: Request): Response {
  const { pathname, searchParams } = new URL(request.url)
  if (request.method !== 'GET') return new Response('Only GET is known here', { status: 405 })
  const to = searchParams.get('to')?.trim().toLowerCase() ?? ''
  const found = to === '' ? mails : mails.filter((mail) => mail.to.toLowerCase() === to)
  if (pathname === '/messages') return Response.json(found)
  if (pathname !== '/') return new Response('Nothing here', { status: 404 })
  return new Response(drawMailbox(found, to), {
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': PAGE_POLICY },
  })
}

/** One entry for each recipient, the newest first, the oldest forgotten. */
function keep(parsed: ParsedMail, recipients: string[]) {
  const html = parsed.html || ''
  const text = parsed.text ?? ''
  for (const to of recipients) {
    const at = new Date().toISOString()
    const links = findLinks(html, text)
    mails.unshift({
      to,
      from: addressText(parsed.from),
      subject: parsed.subject ?? '',
      text,
      html,
      links,
      at,
    })
  }
  mails.length = Math.min(mails.length, MOST_MAILS)
  saving ??= setTimeout(save, SAVE_PAUSE_MS)
}

function addressText(address: AddressObject | undefined): string {
  return address?.text ?? ''
}

function findLinks(html: string, text: string): string[] {
  const inHtml = [...html.matchAll(/href="(https?:\/\/[^"]+)"/gi)].map(([, link]) => decode(link ?? ''))
  const inText = [...text.matchAll(/https?:\/\/[^\s<>"')\]]+/gi)].map(([link]) => link)
  return [...new Set([...inHtml, ...inText])]
}

function decode(link: string): string {
  return link.replaceAll('&amp;', '&').replaceAll('&#x3D;', '=').replaceAll('&#61;', '=')
}

function readMails(path: string): Mail[] {
  if (!existsSync(path)) return []
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Mail[]
  } catch {
    console.error(`mailbox: ${path} is damaged; starting empty`)
    return []
  }
}

function save() {
  saving = undefined
  if (!file) return
  writeFileSync(`${file}.new`, JSON.stringify(mails), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

function end() {
  if (saving) save()
  void http.stop(true)
  smtp.close(() => process.exit(0))
  process.exit(0)
}
