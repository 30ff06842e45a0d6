import { expect, test } from "vitest";
import { fitting } from "../../../customer_client/browser/systems";

const all = ["linux-x86_64", "macos-arm64", "macos-x86_64", "windows-x86_64"].map((system) => ({ system, bytes: 1 }));

test.each([
  ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "linux-x86_64"],
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36", "windows-x86_64"],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15", "macos-arm64"],
  ["Mozilla/5.0 (X11; Linux aarch64; rv:140.0) Gecko/20100101", undefined],
  ["Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Mobile", undefined],
  ["Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15", undefined],
])("%s", (userAgent, system) => {
  expect(fitting(all, userAgent)?.system).toBe(system);
});

test("nothing is offered that the server does not have", () => {
  expect(fitting([{ system: "windows-x86_64", bytes: 1 }], "X11; Linux x86_64")).toBeUndefined();
});
