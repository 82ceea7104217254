/** Owns how a Dockerfile is read: its steps in order, as far as ours has them; anything else is refused. */

export type Step =
  | { kind: 'FROM'; image: string; as: string | null }
  | { kind: 'WORKDIR' | 'RUN' | 'USER' | 'EXPOSE' | 'STOPSIGNAL'; text: string }
  | { kind: 'ENV'; values: Record<string, string> }
  | { kind: 'COPY'; from: string | null; sources: string[]; target: string }
  | { kind: 'CMD'; words: string[] }

/** Throws on a step it does not know: one that is not run would make the proof worthless. */
export function readDockerfile(text: string): Step[] {
  const lines = text
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  return lines.map((line) => {
    const kind = line.slice(0, line.indexOf(' '))
    const rest = line.slice(kind.length).trim()
    switch (kind) {
      case 'FROM': {
        const [image, as, name] = rest.split(/\s+/)
        return { kind, image: image!, as: as?.toUpperCase() === 'AS' ? (name ?? null) : null }
      }
      case 'WORKDIR':
      case 'RUN':
      case 'USER':
      case 'EXPOSE':
      case 'STOPSIGNAL':
        return { kind, text: rest }
      case 'ENV':
        return { kind, values: Object.fromEntries(rest.split(/\s+/).map((pair) => pair.split('=', 2))) }
      case 'COPY': {
        const words = rest.split(/\s+/)
        const from = words[0]!.startsWith('--from=') ? words.shift()!.slice('--from='.length) : null
        return { kind, from, sources: words.slice(0, -1), target: words.at(-1)! }
      }
      case 'CMD':
        return { kind, words: JSON.parse(rest) as string[] }
      default:
        throw new Error(`The step ${kind} of the Dockerfile is not known here`)
    }
  })
}

/** Whether .dockerignore leaves a path of the context out; the last rule that fits decides. */
export function ignores(rules: string, path: string): boolean {
  let out = false
  for (const rule of rules.split('\n').filter((line) => line !== '')) {
    const pattern = rule.replace(/^!/, '')
    if (pattern === '*' || path === pattern || path.startsWith(`${pattern}/`)) out = !rule.startsWith('!')
  }
  return out
}
