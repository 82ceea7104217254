// Owns reading codes with the camera, where the browser can: each code once for as long as it is held before the lens.

/** Not yet known to TypeScript: https://developer.mozilla.org/docs/Web/API/BarcodeDetector */
interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>
}
type DetectorClass = new (options: { formats: string[] }) => Detector

const LOOK_EVERY_MS = 150
/** A code out of sight for so long is another one when it comes back: a ticket that was passed on. */
const GONE_AFTER_MS = 1_200

export const canReadCodes = (): boolean =>
  'BarcodeDetector' in globalThis && navigator.mediaDevices?.getUserMedia !== undefined

export class CodeCamera {
  on = $state(false)
  denied = $state(false)
  readonly #read: (code: string) => void
  #stream: MediaStream | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #held = ''
  #seenAt = 0

  constructor(read: (code: string) => void) {
    this.#read = read
  }

  async start(): Promise<void> {
    this.denied = false
    try {
      const video = { facingMode: 'environment', width: { ideal: 1_280 } }
      this.#stream = await navigator.mediaDevices.getUserMedia({ video, audio: false })
      this.on = true
    } catch {
      this.denied = true
    }
  }

  /** Shows what the camera sees, and looks for codes in it; ends with the element. */
  show = (video: HTMLVideoElement): (() => void) => {
    const detector = new (Reflect.get(globalThis, 'BarcodeDetector') as DetectorClass)({
      formats: ['qr_code'],
    })
    video.srcObject = this.#stream
    void video.play().catch(() => undefined)
    const look = async () => {
      const [code] = await detector.detect(video).catch(() => [])
      if (!this.on) return
      this.#take(code?.rawValue ?? '')
      this.#timer = setTimeout(() => void look(), LOOK_EVERY_MS)
    }
    void look()
    return () => this.stop()
  }

  stop(): void {
    this.on = false
    clearTimeout(this.#timer)
    for (const track of this.#stream?.getTracks() ?? []) track.stop()
    this.#stream = null
    this.#held = ''
  }

  #take(code: string): void {
    const now = performance.now()
    if (code === '') {
      if (now - this.#seenAt > GONE_AFTER_MS) this.#held = ''
      return
    }
    this.#seenAt = now
    if (code === this.#held) return
    this.#held = code
    this.#read(code)
  }
}
