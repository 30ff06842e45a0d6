import { defineConfig } from "vite";

/** The customer's pages, served under /static/customer/; what the help centre's templates name keeps its name. */
export default defineConfig({
  root: decodeURIComponent(new URL(".", import.meta.url).pathname),
  base: "/static/customer/",
  publicDir: false,
  build: {
    outDir: "../static",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: {
        join: "join.html",
        "get-help": "get-help.html",
        "help-centre": "help-centre.css",
        "help-chapters": "help-chapters.ts",
      },
      output: {
        entryFileNames: (entry) => (entry.name === "help-chapters" ? "help-chapters.js" : "assets/[name]-[hash].js"),
        assetFileNames: (asset) =>
          asset.names.includes("help-centre.css") ? "help-centre.css" : "assets/[name]-[hash][extname]",
      },
    },
  },
});
