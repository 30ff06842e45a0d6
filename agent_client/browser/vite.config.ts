import { defineConfig } from "vite";

/** The staff's pages: one single-page application, served at /console with its files under /static/agent/. */
export default defineConfig({
  root: decodeURIComponent(new URL(".", import.meta.url).pathname),
  base: "/static/agent/",
  publicDir: false,
  build: {
    outDir: "../static",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { console: "console.html" },
    },
  },
});
