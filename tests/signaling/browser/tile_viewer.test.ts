import { expect, test } from "vitest";
import { jpegSize } from "../../../signaling/browser/tile_viewer";

/** A JPEG's beginning: application data, a table, and a frame header of the given kind. */
function jpeg(kind: number, width: number, height: number): Uint8Array {
  const size = [height >> 8, height & 255, width >> 8, width & 255];
  return Uint8Array.of(
    ...[0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2],
    ...[0xff, 0xc4, 0, 5, 0xff, 0xc0, 0],
    ...[0xff, kind, 0, 11, 8, ...size, 1, 1, 0x11, 0],
  );
}

test("a JPEG's size stands in its frame header, whatever comes before", () => {
  expect(jpegSize(jpeg(0xc0, 512, 128))).toEqual({ width: 512, height: 128 });
  expect(jpegSize(jpeg(0xc2, 65_535, 40_000))).toEqual({ width: 65_535, height: 40_000 });
});

test("what is no JPEG, or is cut off, has no size", () => {
  const whole = jpeg(0xc0, 512, 128);
  expect(jpegSize(new TextEncoder().encode("<svg width='1'/>"))).toBe(null);
  expect(jpegSize(whole.slice(0, 20))).toBe(null);
  expect(jpegSize(jpeg(0xc4, 512, 128).slice(0, 24))).toBe(null);
  expect(jpegSize(new Uint8Array())).toBe(null);
});
