// Owns waiting.
import { setTimeout } from 'k6/timers'

export const pause = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms))
