// Bundles src/ into bundle.js, with the licences of others and a fingerprint of the sources in front.
// `npm ci && npm run build`; with --check it only says whether the bundle is what the sources build.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const sources = [
  ...readdirSync(join(here, "src")).filter((name) => name.endsWith(".js")).sort().map((name) => join(here, "src", name)),
  join(here, "../../drawing/viewer.js"),
  join(here, "package.json"),
];
const hash = createHash("sha256");
for (const path of sources) hash.update(readFileSync(path));
const { outputFiles } = await build({
  entryPoints: [join(here, "src/main.js")],
  bundle: true, minify: true, format: "esm", target: "es2022", charset: "utf8", legalComments: "none", write: false,
});
const banner = `/*! Nucleate's map of crystals, MIT. With fflate, MIT, (c) Arjun Barrett; see NOTICE. sources ${hash.digest("hex")} */\n`;
// The text stands inside a script element, which only this could close.
const text = banner + outputFiles[0].text.replaceAll("</script", "<\\/script");
const path = join(here, "bundle.js");
if (!process.argv.includes("--check")) writeFileSync(path, text);
else if (readFileSync(path, "utf8") !== text) throw new Error("bundle.js is not what the sources build: npm run build");
