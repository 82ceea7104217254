/** Decides how the development mailbox looks: one page, no script, every word of a mail escaped. */
import type { Mail } from './mailbox.ts'

/** A page of five hundred framed mails would not open; the rest is a search by address away. */
const MOST_SHOWN = 50

/** Mails may bring styles and pictures of their own, never a script. */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data: https: http:; frame-src 'self'; " +
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d8dce3, #3a404b); --soft: light-dark(#5b6472, #a3acba);
  --card: light-dark(#fff, #1d2129); --link: light-dark(#0a52c4, #8ab4ff) }
body { margin: 0 auto; max-width: 46rem; padding: 1rem; font: 16px/1.5 system-ui, sans-serif;
  background: light-dark(#f4f6f9, #14171d); color: light-dark(#171b22, #eceff4) }
h1 { font-size: 1.4rem; margin: .5rem 0 0 } p { margin: .25rem 0 1rem; color: var(--soft) }
a { color: var(--link); overflow-wrap: anywhere }
form { display: flex; gap: .5rem; margin: 0 0 1rem; flex-wrap: wrap }
input { flex: 1 1 12rem; min-width: 0 } input, button { font: inherit; padding: .5rem .75rem;
  border: 1px solid var(--line); border-radius: .5rem; background: var(--card); color: inherit }
details { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; margin: 0 0 .75rem }
summary { cursor: pointer; padding: .75rem 1rem; display: grid; gap: .1rem; overflow-wrap: anywhere }
summary span { color: var(--soft); font-size: .875rem } summary:focus-visible { outline: 2px solid var(--link) }
.mail { padding: 0 1rem 1rem } .mail ul { margin: .25rem 0 1rem; padding-left: 1.1rem }
iframe { width: 100%; height: 26rem; border: 1px solid var(--line); border-radius: .5rem; background: #fff }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; font: inherit }`

/** `to` is the address the list was narrowed to, or ''. */
export function drawMailbox(mails: Mail[], to: string): string {
  const shown = mails.slice(0, MOST_SHOWN)
  const count = mails.length === 1 ? '1 mail' : `${mails.length} mails`
  const more = mails.length > shown.length ? `, the newest ${shown.length} shown` : ''
  const list = shown.length === 0 ? '<p>Nothing has arrived here yet.</p>' : shown.map(drawMail).join('\n')
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Mailbox - Onsale</title><style>${STYLE}</style></head>
<body><main><h1>Mailbox</h1>
<p>Mails of this Onsale stay on this machine: ${count}${more}. <a href="?">Look again</a></p>
<form><input type="search" name="to" value="${escape(to)}" aria-label="Recipient" placeholder="Recipient">
<button>Find</button></form>
${list}</main></body></html>`
}

function drawMail(mail: Mail, index: number): string {
  const links = mail.links.map((link) => `<li><a href="${escape(link)}">${escape(link)}</a></li>`).join('')
  const body = mail.html === '' ? `<pre>${escape(mail.text)}</pre>` : drawFrame(mail)
  return `<details${index === 0 ? ' open' : ''}><summary><strong>${escape(mail.subject || 'No subject')}</strong>
<span>to ${escape(mail.to)} · <time datetime="${escape(mail.at)}">${escape(shortTime(mail.at))}</time></span></summary>
<div class="mail">${links === '' ? '' : `<ul>${links}</ul>`}${body}</div></details>`
}

/** In a frame of its own, without scripts; a click on a link may still open it in the whole window. */
function drawFrame(mail: Mail): string {
  const rights = 'allow-top-navigation-by-user-activation allow-popups'
  const source = `<base target="_top">${mail.html}`
  return `<iframe sandbox="${rights}" title="${escape(mail.subject)}" srcdoc="${escape(source)}"></iframe>`
}

function shortTime(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`
}

function escape(text: string): string {
  return Bun.escapeHTML(text)
}
