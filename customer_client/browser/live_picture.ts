// The shared surface at this moment, for live snapshots.

import type { LiveSource } from "../../signaling/browser/live_snapshots";
import { paint } from "./masks";
import type { SharedScreen } from "./shared_screen";

/** A larger picture is made smaller: it goes through a WebSocket, and a snapshot in full can be asked for. */
const MAX_PIXELS = 2_400_000;
const MAX_SIDE = 4_096;

export function livePicture(screen: SharedScreen): LiveSource {
  const { mirror } = screen;
  const canvas = new OffscreenCanvas(1, 1);
  return {
    get frames() {
      // A page that is covered by what it shares need not be given frames to count.
      return document.hidden ? performance.now() : mirror.getVideoPlaybackQuality().totalVideoFrames;
    },
    take() {
      const { videoWidth, videoHeight } = mirror;
      if (!videoWidth || !screen.track) return null;
      const enough = Math.min(
        Math.sqrt(MAX_PIXELS / (videoWidth * videoHeight)),
        MAX_SIDE / videoWidth,
        MAX_SIDE / videoHeight,
      );
      const shrink = Math.min(1, enough);
      canvas.width = Math.max(1, Math.floor(videoWidth * shrink));
      canvas.height = Math.max(1, Math.floor(videoHeight * shrink));
      const context = canvas.getContext("2d", { alpha: false });
      if (!context) return null;
      context.imageSmoothingQuality = "high";
      context.drawImage(mirror, 0, 0, canvas.width, canvas.height);
      // The mirror may still show a frame from before the last mask.
      paint(context, canvas.width, canvas.height, screen.masks);
      return canvas.transferToImageBitmap();
    },
  };
}
