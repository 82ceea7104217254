// Owns what a run tells `surge` of itself.

export interface SurgeFigure {
  name: string
  /** In words, with its unit. */
  value: string
  /** Null when nothing is asked of it. */
  ok: boolean | null
  asked: string
}
/** What `surge` reads of a run. */
export interface SurgeSummary {
  seconds: number
  figures: SurgeFigure[]
}
