import { expect, test } from "vitest";
import { troubleOf } from "../../../customer_client/browser/capture";
import { sniff } from "../../../customer_client/browser/pictures";

test("the first bytes tell the kind, whatever the name says", () => {
  const bytes = (...parts: (string | number)[]) =>
    new Uint8Array(
      parts.flatMap((part) => (typeof part === "number" ? [part] : [...part].map((c) => c.charCodeAt(0)))),
    );
  expect(sniff(bytes(0x89, "PNG\r\n", 0x1a, "\n"))).toBe("image/png");
  expect(sniff(bytes(0xff, 0xd8, 0xff, 0xe0))).toBe("image/jpeg");
  expect(sniff(bytes("RIFF", 1, 2, 3, 4, "WEBP"))).toBe("image/webp");
  expect(sniff(bytes("RIFF", 1, 2, 3, 4, "WAVE"))).toBeNull();
  expect(sniff(bytes("<svg xmlns"))).toBeNull();
  expect(sniff(new Uint8Array())).toBeNull();
});

test("the system's no is told from the person's", () => {
  expect(troubleOf(new DOMException("Permission denied by system", "NotAllowedError"))).toBe("system");
  expect(troubleOf(new DOMException("Permission denied by user", "NotAllowedError"))).toBe("closed");
  expect(troubleOf(new DOMException("", "NotReadableError"))).toBe("device");
  expect(troubleOf(new Error("anything"))).toBe("device");
});
