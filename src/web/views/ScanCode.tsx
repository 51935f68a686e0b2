import { type ReactNode, useEffect, useRef, useState } from "react";
import { messageOf } from "../../protocol/errors.ts";

/** A pairing code by the camera, or from a picture of it. What reads pictures is loaded when it is wanted. */
export function ScanCode({ onCode }: { onCode: (code: string) => void }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const [failed, setFailed] = useState<string>();
  const take = (code: string): void => {
    setOpen(false);
    onCode(code);
  };
  const readFile = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    setFailed(undefined);
    try {
      const { codeInPicture } = await import("../scan/scan.ts");
      const code = await codeInPicture(file);
      if (code === undefined) setFailed("No code was found in this picture: take one that shows it whole and sharp.");
      else take(code);
    } catch (error) {
      setFailed(`This file could not be read as a picture: ${messageOf(error)}`);
    }
  };
  return (
    <div className="scan">
      {isOpen ? (
        <Camera
          onCode={take}
          onFailed={(text) => {
            setOpen(false);
            setFailed(text);
          }}
        />
      ) : (
        <div className="actions">
          <button type="button" className="primary" onClick={() => setOpen(true)}>
            Scan with the camera
          </button>
          <label className="button">
            From a picture
            <input
              type="file"
              accept="image/*"
              className="unseen"
              onChange={({ target }) => {
                void readFile(target.files?.[0]);
                target.value = "";
              }}
            />
          </label>
        </div>
      )}
      {isOpen && (
        <button type="button" onClick={() => setOpen(false)}>
          Close the camera
        </button>
      )}
      {failed !== undefined && (
        <p className="tone-bad" role="alert">
          ✗ {failed}
        </p>
      )}
    </div>
  );
}

function Camera({ onCode, onFailed }: { onCode: (code: string) => void; onFailed: (text: string) => void }): ReactNode {
  const video = useRef<HTMLVideoElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: one camera for as long as it is shown
  useEffect(() => {
    const over = new AbortController();
    void import("../scan/scan.ts")
      .then(({ scanCamera }) => scanCamera(video.current!, over.signal))
      .then(
        (code) => code !== undefined && !over.signal.aborted && onCode(code),
        (error: unknown) => !over.signal.aborted && onFailed(cameraWords(error)),
      );
    return () => over.abort();
  }, []);
  return <video ref={video} className="camera" playsInline muted aria-label="What the camera sees" />;
}

function cameraWords(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return "The camera was not allowed. Paste the link, or choose a picture of the code.";
  if (name === "NotFoundError") return "There is no camera here. Paste the link, or choose a picture of the code.";
  return `The camera does not work: ${messageOf(error)}. Paste the link, or choose a picture of the code.`;
}
