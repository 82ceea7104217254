// Decides what somebody may be sent instead of the plain bytes: a compressed form, or nothing, when they have it already.

export type Coding = 'br' | 'gzip'

/** Whether `Accept-Encoding` takes a coding: by its name, else by the star; RFC 9110, 12.5.3. */
export function accepts(request: Request, coding: Coding): boolean {
  const accepted = request.headers.get('accept-encoding')
  if (accepted === null) return false
  const weights = new Map(
    accepted
      .toLowerCase()
      .split(',')
      .map((part) => {
        const [name = '', ...parameters] = part.split(';').map((each) => each.trim())
        return [name, !parameters.some((each) => /^q=0(\.0*)?$/.test(each))]
      }),
  )
  return weights.get(coding) ?? weights.get('*') ?? false
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
