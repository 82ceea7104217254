// Serves the Swagger page and its assets from the package, so that it works without internet.
import { join } from 'node:path'

/** Files of swagger-ui-dist that the page needs; nothing else of the package can be asked for. */
const ASSETS: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
}
const ASSETS_FOLDER = join(import.meta.dir, '../node_modules/swagger-ui-dist')
const CSP =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"
const ASSET_MAX_AGE_SECONDS = 86_400

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Onsale API</title>
<link rel="stylesheet" href="/api/docs/assets/swagger-ui.css">
<div id="swagger"></div>
<script src="/api/docs/assets/swagger-ui-bundle.js"></script>
<script src="/api/docs/assets/start.js"></script>
</html>`

const START = `SwaggerUIBundle({ url: '/api/docs/json', dom_id: '#swagger', deepLinking: true, persistAuthorization: true })`

/** `path` is /api/docs or /api/docs/assets/…. */
export function docsPage(path: string): Response {
  const asset = path.split('/assets/')[1]
  if (asset === undefined) return text(PAGE, 'text/html; charset=utf-8')
  if (asset === 'start.js') return text(START, 'text/javascript; charset=utf-8')
  const type = ASSETS[asset]
  if (!type) return new Response('Not Found', { status: 404 })
  return new Response(Bun.file(join(ASSETS_FOLDER, asset)), {
    headers: { 'content-type': type, 'cache-control': `public, max-age=${ASSET_MAX_AGE_SECONDS}` },
  })
}

const text = (body: string, type: string) =>
  new Response(body, { headers: { 'content-type': type, 'content-security-policy': CSP } })
