// Decides how an answer sounds at a door: whoever watches the queue and not the screen hears who comes in.

/** Hz: two rising notes let in, one low note does not. */
const LET_IN = [660, 990]
const STOP = [150]
const NOTE_SECONDS = 0.14
const STOP_SECONDS = 0.45
const LOUDNESS = 0.25
/** ms, where a device can: one short tap, or two long ones. */
const TAP = { letIn: [60], stop: [180, 90, 180] }

let sound: AudioContext | null = null

/** Call within a press: a browser keeps silent whatever began without one. */
export function wakeSound(): void {
  sound ??= new AudioContext()
  if (sound.state === 'suspended') void sound.resume()
}

export function soundAnswer(letIn: boolean): void {
  navigator.vibrate?.(letIn ? TAP.letIn : TAP.stop)
  if (sound?.state !== 'running') return
  const seconds = letIn ? NOTE_SECONDS : STOP_SECONDS
  for (const [index, hz] of (letIn ? LET_IN : STOP).entries()) {
    const [tone, volume] = [sound.createOscillator(), sound.createGain()]
    const at = sound.currentTime + index * seconds
    tone.type = letIn ? 'sine' : 'square'
    tone.frequency.value = hz
    volume.gain.setValueAtTime(LOUDNESS, at)
    volume.gain.exponentialRampToValueAtTime(0.001, at + seconds)
    tone.connect(volume).connect(sound.destination)
    tone.start(at)
    tone.stop(at + seconds)
  }
}
