const TONE_HZ = 660;
const TONE_S = 0.18;
/** Of the loudest there is. */
const LOUDNESS = 0.08;

/** One short, quiet tone. Before somebody has touched the page a browser keeps silent. */
export function playTone(): void {
  if (!("AudioContext" in globalThis)) return;
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  const { currentTime } = audio;
  tone.frequency.value = TONE_HZ;
  volume.gain.setValueAtTime(LOUDNESS, currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, currentTime + TONE_S);
  tone.connect(volume).connect(audio.destination);
  tone.onended = () => void audio.close();
  tone.start();
  tone.stop(currentTime + TONE_S);
}
