// Owns the ear for what the ledger is doing: nobody listens unless whoever runs the process says so.

export interface Tracer {
  /** Runs `work` as a stage of whatever is under way. */
  stage<T>(name: string, work: () => Promise<T>): Promise<T>
  /** W3C traceparent of whatever is under way. */
  current(): string | undefined
}

let tracer: Tracer | null = null

/** Of the whole process; null stops it. */
export function listenToStages(listener: Tracer | null): void {
  tracer = listener
}

export const stage = <T>(name: string, work: () => Promise<T>): Promise<T> =>
  tracer === null ? work() : tracer.stage(name, work)

/** What a job or a message is to remember, so that its work is seen as part of what asked for it. */
export const traceparent = (): string | undefined => tracer?.current()
