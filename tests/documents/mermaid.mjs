// What Mermaid's own parser makes of the drawings in a Markdown file, as JSON: for each its boxes
// and arrows, or an error.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(process.env.STAGEDOOR_NODE + '/package.json');
const { JSDOM } = require('jsdom');

// It was written for a browser.
globalThis.window = new JSDOM('').window;
globalThis.document = globalThis.window.document;
const { default: mermaid } = await import(pathToFileURL(require.resolve('mermaid')));

async function read(text) {
    try {
        await mermaid.parse(text);
        const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
        return {
            boxes: [...db.getVertices().keys()],
            arrows: db.getEdges().map(({ start, end }) => [start, end]),
        };
    } catch (error) {
        return { error: error.message };
    }
}

const page = readFileSync(process.argv[2], 'utf8');
const drawings = [];
for (const [, text] of page.matchAll(/^```mermaid\n(.*?)^```$/gms))
    drawings.push(await read(text));
console.log(JSON.stringify(drawings));
