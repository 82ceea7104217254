// Owns how a connection finds its master through sentinels when the office changes hands at the very moment it asks.
//
// ioredis 6 hears of a change on one side and asks for the master on the other. Heard while it asks, it ends the
// connection for good: nobody closed it, and it never comes back. Here it asks again instead.
import { SentinelConnector, type SentinelConnectionOptions } from 'ioredis'

type Connect = SentinelConnector['connect']

/** What ioredis listens to sentinels with; it is over once it has announced a change, or was tidied away. */
interface Detector {
  isDisconnected: boolean
}

export class SteadySentinelConnector extends SentinelConnector {
  #asking = false
  #movedMeanwhile = false
  /** Whose announcement has been heard, so that the next word comes from whoever closes the connection. */
  #heard: Detector | null = null

  constructor(options: unknown) {
    super(options as SentinelConnectionOptions)
  }

  override async connect(...[emit]: Parameters<Connect>): ReturnType<Connect> {
    for (;;) {
      this.#asking = true
      this.#movedMeanwhile = false
      const stream = await super.connect(emit).finally(() => (this.#asking = false))
      // Ends: each detector announces once, and a new one begins with the next connection.
      if (!this.#movedMeanwhile) return stream
      stream.on('error', () => {}).destroy()
    }
  }

  /** Called by whoever closes the connection, and by the detector when there is another master. */
  override disconnect(): void {
    const { failoverDetector: detector } = this as unknown as { failoverDetector: Detector | null }
    const announced = detector?.isDisconnected === true && detector !== this.#heard
    this.#heard = detector
    if (announced && this.#asking) this.#movedMeanwhile = true
    else super.disconnect()
  }
}
