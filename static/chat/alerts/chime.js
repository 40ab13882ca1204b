// @ts-check

const NOTES = [880, 1320]; // Hz, one after the other
const NOTE = 0.09; // seconds
const GAIN = 0.08;
const PAUSE = 1_000; // milliseconds: several messages at once are one sound

let last = -PAUSE;
/** @type {AudioContext | undefined} */
let audio;

/** A short sound, where the browser lets a page make one: not before somebody has pressed something on it. */
export function chime() {
  if (performance.now() - last < PAUSE || !("AudioContext" in window)) return;
  last = performance.now();
  audio ??= new AudioContext();
  if (audio.state === "suspended") audio.resume().catch(() => {});
  const gain = audio.createGain();
  gain.gain.value = GAIN;
  gain.connect(audio.destination);
  for (const [index, frequency] of NOTES.entries()) {
    const note = audio.createOscillator();
    note.frequency.value = frequency;
    note.connect(gain);
    note.start(audio.currentTime + index * NOTE);
    note.stop(audio.currentTime + (index + 1) * NOTE);
  }
}
