// When a video element shows its picture, and when it is fit to take the place of another.

/** A picture that is not painted, in a window behind others, tells of no frame; its first one is ready nonetheless. */
const PAINTED_WITHIN_MS = 250;
const IN_STEP_MS = 100;
const IN_STEP_FRAMES = 3;
const IN_STEP_WITHIN_MS = 1_000;
const STILL_AFTER_MS = 250;

/** Waits until the element shows a frame. */
export function firstFrame(video: HTMLVideoElement): Promise<void> {
  return new Promise((resolve) => {
    video.requestVideoFrameCallback(() => resolve());
    video.addEventListener("loadeddata", () => setTimeout(resolve, PAINTED_WITHIN_MS), { once: true });
  });
}

/**
 * Waits until the frames of `next` come as they should, for a second at most. An encoder that has just sent a whole
 * picture lets the next frames pass, and meanwhile `present` still moves; when it does not, there is nothing to lose.
 */
export function inStep(next: HTMLVideoElement, present: HTMLVideoElement): Promise<void> {
  return new Promise((resolve) => {
    const begun = performance.now();
    let before = begun;
    let inTime = 0;
    let shown = framesOf(present);
    const done = (): void => {
      clearInterval(timer);
      resolve();
    };
    const step = (now: number): void => {
      inTime = now - before <= IN_STEP_MS ? inTime + 1 : 0;
      before = now;
      if (inTime >= IN_STEP_FRAMES) done();
      else next.requestVideoFrameCallback(step);
    };
    next.requestVideoFrameCallback(step);
    const timer = setInterval(() => {
      const count = framesOf(present);
      if (count === shown || performance.now() - begun >= IN_STEP_WITHIN_MS) done();
      shown = count;
    }, STILL_AFTER_MS);
  });
}

function framesOf(video: HTMLVideoElement): number {
  return video.getVideoPlaybackQuality().totalVideoFrames;
}
