// Decides what somebody may be sent instead of the plain bytes: a compressed form, or nothing, when they have it already.

/** The smaller first. */
export const CODINGS = ['br', 'gzip'] as const
export type Coding = (typeof CODINGS)[number]

/** There are a handful of browsers; whoever thinks of more is read anew each time. */
const REMEMBERED_MAX = 100
const remembered = new Map<string, ReadonlySet<Coding>>()

/** Whether `Accept-Encoding` takes a coding. */
export function accepts(request: Request, coding: Coding): boolean {
  const accepted = request.headers.get('accept-encoding')
  if (accepted === null) return false
  const known = remembered.get(accepted)
  if (known) return known.has(coding)
  const read = codingsIn(accepted)
  if (remembered.size < REMEMBERED_MAX) remembered.set(accepted, read)
  return read.has(coding)
}

/** Each coding by its name, else by the star; RFC 9110, 12.5.3. */
function codingsIn(accepted: string): ReadonlySet<Coding> {
  const taken = new Map(
    accepted
      .toLowerCase()
      .split(',')
      .map((part) => {
        const [name = '', ...parameters] = part.split(';').map((each) => each.trim())
        return [name, !parameters.some((each) => /^q=0(\.0*)?$/.test(each))]
      }),
  )
  return new Set(CODINGS.filter((coding) => taken.get(coding) ?? taken.get('*') ?? false))
}

/**
 * Whether `If-None-Match` names one of these entity tags, each given in its quotes. Weakly compared, as RFC 9110, 13.1.2
 * asks.
 */
export function hasOneOf(request: Request, tags: string[]): boolean {
  const known = request.headers.get('if-none-match')
  if (known === null) return false
  return known
    .split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''))
    .some((tag) => tag === '*' || tags.includes(tag))
}
