// Decides how any mail is written: one letter, rendered as plain text and as HTML that say the same.
import type { MailWords } from './languages/en.ts'

export interface Letter {
  subject: string
  /** The first sentence: what happened. Mail programs also show it beside the subject. */
  opening: string
  /** What the reader can do; comes right after the opening. */
  action?: { label: string; url: string }
  blocks: Block[]
}

export type Block =
  | { text: string }
  /** Label and value, one pair a line. */
  | { facts: [label: string, value: string][] }
  | { list: string; items: string[] }

export interface Mail {
  subject: string
  text: string
  html: string
}

/** Longer subjects are cut by every mail program; this keeps headers bounded whatever an event is called. */
const SUBJECT_MAX = 150
/** What stands in every mail, whatever it says. */
export type Frame = Pick<MailWords, 'locale' | 'footer' | 'orOpen'>

export function renderLetter(frame: Frame, letter: Letter): Mail {
  const subject = oneLine(letter.subject).slice(0, SUBJECT_MAX)
  return { subject, text: renderText(frame, letter), html: renderHtml(frame, letter, subject) }
}

/** Line breaks and control characters become single spaces, so that no name can add a header or a line. */
function oneLine(words: string): string {
  return words.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()
}

function renderText({ footer }: Frame, { opening, action, blocks }: Letter): string {
  const parts = [oneLine(opening)]
  if (action) parts.push(`${oneLine(action.label)}:\n${action.url}`)
  for (const block of blocks) {
    if ('text' in block) parts.push(oneLine(block.text))
    else if ('facts' in block)
      parts.push(block.facts.map(([l, v]) => `${oneLine(l)}: ${oneLine(v)}`).join('\n'))
    else
      parts.push([`${oneLine(block.list)}:`, ...block.items.map((item) => `- ${oneLine(item)}`)].join('\n'))
  }
  return `${[...parts, footer].join('\n\n')}\n`
}

const FONT = 'font-family:system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif'
const STYLE = {
  page: 'margin:0;padding:0;background:#f4f4f6',
  card: 'max-width:560px;width:100%;background:#ffffff;border-radius:12px',
  cell: `padding:28px 24px;${FONT};font-size:16px;line-height:1.5;color:#1c1c22;word-break:break-word`,
  opening: 'margin:0 0 20px;font-size:20px;line-height:1.35;font-weight:600',
  button:
    'display:inline-block;padding:13px 22px;border-radius:8px;background:#2447d8;color:#ffffff;font-weight:600;text-decoration:none',
  address: 'margin:12px 0 20px;font-size:13px;color:#5c5c68',
  paragraph: 'margin:0 0 16px',
  label: 'padding:3px 16px 3px 0;vertical-align:top;color:#5c5c68;white-space:nowrap',
  value: 'padding:3px 0;vertical-align:top;width:100%',
  listTitle: 'margin:0 0 6px;font-weight:600',
  list: 'margin:0 0 16px;padding-left:20px',
  footer: 'margin:24px 0 0;font-size:13px;color:#5c5c68',
}
/** Inline colours are for light mail programs; those that know dark mode read this. */
const DARK =
  '@media (prefers-color-scheme:dark){.page{background:#121216!important}.card{background:#1d1d23!important}' +
  '.ink{color:#ececf1!important}.faint{color:#a8a8b4!important}.link{color:#a9b9ff!important}.button{background:#3a57e8!important}}'

function renderHtml(frame: Frame, { opening, action, blocks }: Letter, subject: string): string {
  const body = [`<h1 style="${STYLE.opening}">${escapeHtml(oneLine(opening))}</h1>`]
  if (action) body.push(renderAction(frame, action))
  body.push(...blocks.map(renderBlock))
  body.push(`<p class="faint" style="${STYLE.footer}">${escapeHtml(frame.footer)}</p>`)
  return `<!doctype html>
<html lang="${frame.locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeHtml(subject)}</title>
<style>${DARK}</style>
</head>
<body class="page" style="${STYLE.page}">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" class="card" style="${STYLE.card}" cellpadding="0" cellspacing="0"><tr><td class="ink" style="${STYLE.cell}">
${body.join('\n')}
</td></tr></table>
</td></tr></table>
</body>
</html>
`
}

/** The address stands below the button too: some programs strip buttons, and people like to see where a link leads. */
function renderAction({ orOpen }: Frame, { label, url }: { label: string; url: string }): string {
  const href = escapeHtml(url)
  return (
    `<a class="button" href="${href}" style="${STYLE.button}">${escapeHtml(oneLine(label))}</a>\n` +
    `<p class="faint" style="${STYLE.address}">${escapeHtml(orOpen)} <a class="link" href="${href}" style="color:#2447d8">${href}</a></p>`
  )
}

function renderBlock(block: Block): string {
  if ('text' in block) return `<p style="${STYLE.paragraph}">${escapeHtml(oneLine(block.text))}</p>`
  if ('list' in block) {
    const items = block.items.map((item) => `<li>${escapeHtml(oneLine(item))}</li>`)
    return `<p style="${STYLE.listTitle}">${escapeHtml(oneLine(block.list))}</p>\n<ul style="${STYLE.list}">${items.join('')}</ul>`
  }
  const rows = block.facts.map(
    ([label, value]) =>
      `<tr><td class="faint" style="${STYLE.label}">${escapeHtml(oneLine(label))}</td>` +
      `<td style="${STYLE.value}">${escapeHtml(oneLine(value))}</td></tr>`,
  )
  return `<table role="presentation" cellpadding="0" cellspacing="0" style="margin:0 0 16px">${rows.join('')}</table>`
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Safe between tags and in quoted attributes. */
function escapeHtml(words: string): string {
  return words.replace(/[&<>"']/g, (character) => ENTITIES[character]!)
}
