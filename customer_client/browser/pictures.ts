// Pictures from a file, the clipboard or a drop, made fit to be sent.

/** What the server takes, from server/pictures.py. */
const MAX_BYTES = 15 * 1024 * 1024;
const MAX_PIXELS = 40_000_000;
const MAX_SIDE = 16_384;
/** A picture above this is made smaller first: it would take too long on a slow line. */
const COMFORTABLE_BYTES = 8 * 1024 * 1024;
const TAKEN = ["image/png", "image/jpeg", "image/webp"];

export type PictureTrouble = "kind" | "empty" | "denied" | "large";

export class PictureError extends Error {
  constructor(
    readonly trouble: PictureTrouble,
    readonly fileName = "",
  ) {
    super(trouble);
  }
}

/** The kind that the first bytes tell, whatever the name says; null for anything that the server would not take. */
export function sniff(head: Uint8Array): string | null {
  const begins = (...bytes: number[]) => bytes.every((byte, index) => head[index] === byte);
  if (begins(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return "image/png";
  if (begins(0xff, 0xd8, 0xff)) return "image/jpeg";
  const ascii = String.fromCharCode(...head.subarray(0, 12));
  return ascii.startsWith("RIFF") && ascii.endsWith("WEBP") ? "image/webp" : null;
}

/** The picture as it is to be sent: as it was, or made anew when it is of another kind or too large. */
export async function fitPicture(file: Blob, name: string): Promise<Blob> {
  const kind = sniff(new Uint8Array(await file.slice(0, 16).arrayBuffer()));
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new PictureError("kind", name);
  });
  const { width, height } = bitmap;
  try {
    const shrink = Math.min(1, MAX_SIDE / Math.max(width, height), Math.sqrt(MAX_PIXELS / (width * height)));
    if (kind && TAKEN.includes(kind) && shrink === 1 && file.size <= COMFORTABLE_BYTES) {
      return file.type === kind ? file : new Blob([file], { type: kind });
    }
    const canvas = new OffscreenCanvas(Math.floor(width * shrink), Math.floor(height * shrink));
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const small = file.size <= COMFORTABLE_BYTES && kind !== "image/jpeg";
    const made = await canvas.convertToBlob(small ? { type: "image/png" } : { type: "image/jpeg", quality: 0.92 });
    if (made.size > MAX_BYTES) throw new PictureError("large", name);
    return made;
  } finally {
    bitmap.close();
  }
}

/** The picture among what was pasted or dropped. */
export function pictureIn(transfer: DataTransfer | null): File | null {
  return [...(transfer?.files ?? [])].find((file) => file.type.startsWith("image/")) ?? transfer?.files[0] ?? null;
}

/** The picture in the clipboard, which the browser may ask the person to let us read. */
export async function readClipboard(): Promise<Blob> {
  const items = await navigator.clipboard.read().catch(() => {
    throw new PictureError("denied");
  });
  for (const item of items) {
    const type = item.types.find((each) => each.startsWith("image/"));
    if (type) return item.getType(type);
  }
  throw new PictureError("empty");
}
