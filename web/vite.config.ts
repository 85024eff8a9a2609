// The page is built into the api's package, which serves it; hashed names, no source maps, no inline scripts (the page's policy forbids them).
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/paperdesk/api/static",
    emptyOutDir: true,
    target: "es2022",
    license: { fileName: "licenses.txt" },
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 800,
  },
  test: { include: ["test/**/*.test.ts"], environment: "node" },
});
