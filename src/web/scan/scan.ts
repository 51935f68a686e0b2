import { decodeQR } from "qr/decode.js";

/** Reads QR codes of a camera or a picture: by the browser's own detector where there is one, else by a decoder of ours. Loaded when somebody scans. */

/** Between two looks at what the camera sees. */
const LOOK_MS = 150;
/** A picture is looked at in this size at most: a code fills much of it. */
const SIDE_PX_MAX = 1_200;

/** Undefined when it was aborted. @throws what the browser says of its camera (DOMException) */
export async function scanCamera(video: HTMLVideoElement, signal: AbortSignal): Promise<string | undefined> {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
  try {
    if (signal.aborted) return undefined;
    video.srcObject = stream;
    await video.play();
    const look = looker();
    while (!signal.aborted) {
      const code = video.videoWidth > 0 ? await look(video, video.videoWidth, video.videoHeight) : undefined;
      if (code !== undefined) return code;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    return undefined;
  } finally {
    video.srcObject = null;
    for (const track of stream.getTracks()) track.stop();
  }
}

/** Undefined when there is none in it. @throws DOMException when it is no picture */
export async function codeInPicture(file: Blob): Promise<string | undefined> {
  const picture = await createImageBitmap(file);
  try {
    return await looker()(picture, picture.width, picture.height);
  } finally {
    picture.close();
  }
}

type Look = (source: CanvasImageSource, width: number, height: number) => Promise<string | undefined>;

function looker(): Look {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const { BarcodeDetector } = globalThis as { BarcodeDetector?: DetectorClass };
  const detector = BarcodeDetector && new BarcodeDetector({ formats: ["qr_code"] });
  return async (source, width, height) => {
    const found = await detector?.detect(source).catch(() => []);
    if (found?.[0]) return found[0].rawValue;
    if (!context) return undefined;
    const scale = Math.min(1, SIDE_PX_MAX / Math.max(width, height));
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    context.drawImage(source, 0, 0, canvas.width, canvas.height);
    return decoded(context.getImageData(0, 0, canvas.width, canvas.height));
  };
}

function decoded({ data, width, height }: ImageData): string | undefined {
  try {
    return decodeQR({ data, width, height });
  } catch {
    return undefined; // there is none in it, or it is not whole
  }
}

/** W3C Shape Detection; not in TypeScript's types of a page. */
interface DetectorClass {
  new (options: { formats: string[] }): { detect(source: CanvasImageSource): Promise<{ rawValue: string }[]> };
}
