const FONT_PX_MIN = 7;
const FONT_PX_MAX = 28;

/** Two fingers change the size of the letters. */
export function watchPinch(box: HTMLElement, signal: AbortSignal, onFont: (fontPx: number) => void): void {
  let startPx = 0;
  let startSpan = 0;
  const fontPx = (): number => Number.parseFloat(getComputedStyle(box.querySelector(".xterm-rows") ?? box).fontSize);
  const begin = ({ touches }: TouchEvent): void => {
    startSpan = spanOf(touches);
    startPx = fontPx();
  };
  const move = (event: TouchEvent): void => {
    const span = spanOf(event.touches);
    if (span === 0 || startSpan === 0) return;
    event.preventDefault();
    const wanted = Math.round((startPx * span) / startSpan);
    onFont(Math.min(FONT_PX_MAX, Math.max(FONT_PX_MIN, wanted)));
  };
  box.addEventListener("touchstart", begin, { signal, passive: true });
  box.addEventListener("touchmove", move, { signal, passive: false });
}

function spanOf(touches: TouchList): number {
  const [one, other] = touches;
  return one && other ? Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) : 0;
}
