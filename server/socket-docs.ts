// Serves the socket's document: JSON for a program, a page for a person, both made here and without internet.
import { version } from '../package.json'
import { asyncApi, type AsyncApi } from './protocol/asyncapi.ts'

export const SOCKET_DOCS_PATH = '/api/docs/socket'
const CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
const MAX_AGE_SECONDS = 300

/**
 * `/api/docs/socket` answers the document; a browser, which asks for a page, gets it as one. `/api/docs/socket.json` is
 * the document whoever asks.
 */
export function socketDocs(publicUrl: string): (request: Request, path: string) => Response {
  const document = asyncApi({ publicUrl, version })
  const json = JSON.stringify(document)
  const page = pageOf(document)
  return (request, path) => {
    const wantsPage = path === SOCKET_DOCS_PATH && (request.headers.get('accept') ?? '').includes('text/html')
    return new Response(wantsPage ? page : json, {
      headers: {
        'content-type': wantsPage ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8',
        'cache-control': `public, max-age=${MAX_AGE_SECONDS}`,
        vary: 'accept',
        ...(wantsPage ? { 'content-security-policy': CSP } : {}),
      },
    })
  }
}

const STYLE = `:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
code{font-family:ui-monospace,monospace}table{border-collapse:collapse;width:100%;margin:.5rem 0 2rem}
th,td{text-align:start;vertical-align:top;padding:.4rem .6rem;border-top:1px solid light-dark(#ccc,#555)}
h3{margin-bottom:0}p.about{white-space:pre-line}`

function pageOf(document: AsyncApi): string {
  const { info, channels, components, operations, servers } = document
  const { event } = channels
  const named = (messages: { $ref: string }[]) =>
    messages.map(({ $ref }) => components.messages[$ref.split('/').at(-1) ?? '']).filter((each) => !!each)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(info.title)}</title>
<style>${STYLE}</style>
<main>
<h1>${escape(info.title)}</h1>
<p><code>${servers.here.protocol}://${escape(servers.here.host)}${escape(event.address)}</code> ·
<a href="${SOCKET_DOCS_PATH}.json">AsyncAPI document</a> · <a href="/api/docs">HTTP API</a></p>
<p class="about">${escape(info.description)}</p>
${Object.values(operations)
  .map(({ title, messages }) => `<h2>${escape(title)}</h2>${named(messages).map(messageTable).join('')}`)
  .join('')}
<h2>Closes</h2>
<table><thead><tr><th scope="col">code</th><th scope="col">means</th></tr></thead><tbody>${event['x-close-codes'].map(({ code, description }) => `<tr><td><code>${code}</code></td><td>${escape(description)}</td></tr>`).join('')}</tbody></table>
</main>
</html>`
}

interface Field {
  type?: string
  description?: string
  const?: unknown
  enum?: unknown[]
  anyOf?: Field[]
  items?: Field | Field[]
}

function messageTable({
  name,
  summary,
  payload,
}: {
  name: string
  summary: string
  payload: object
}): string {
  const { properties = {}, required = [] } = payload as {
    properties?: Record<string, Field>
    required?: string[]
  }
  const rows = Object.entries(properties).filter(([field]) => field !== 'type')
  const table = `<table><thead><tr><th scope="col">field</th><th scope="col">is</th><th scope="col">means</th></tr></thead><tbody>${rows
    .map(
      ([field, schema]) =>
        `<tr><td><code>${field}${required.includes(field) ? '' : '?'}</code></td><td>${escape(kindOf(schema))}</td><td>${escape(meaningOf(schema))}</td></tr>`,
    )
    .join('')}</tbody></table>`
  return `<section><h3 id="${name}"><code>${name}</code></h3><p>${escape(summary)}</p>${rows.length > 0 ? table : ''}</section>`
}

function kindOf(schema: Field): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map(String).join(', ')
  if (schema.anyOf) return schema.anyOf.map(kindOf).join(' or ')
  if (Array.isArray(schema.items)) return `[${schema.items.map(kindOf).join(', ')}]`
  if (schema.items) return `list of ${kindOf(schema.items)}`
  return schema.type ?? 'anything'
}

const meaningOf = ({ anyOf, description = '' }: Field): string =>
  [...new Set([...(anyOf ?? []).map((kind) => kind.description ?? ''), description])]
    .filter(Boolean)
    .join('. ')

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
