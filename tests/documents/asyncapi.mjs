// What the official AsyncAPI parser says about each file, as JSON: how many operations it read, and
// its diagnostics.
import { createRequire } from 'node:module';

const require = createRequire(process.env.STAGEDOOR_NODE + '/package.json');
const { Parser, fromFile } = require('@asyncapi/parser');

const severities = ['error', 'warning', 'information', 'hint'];

async function read(path) {
    const { document, diagnostics } = await fromFile(new Parser(), path).parse();
    return {
        read: document ? document.operations().length : 0,
        diagnostics: diagnostics.map(({ severity, code, path, message }) =>
            ({ severity: severities[severity], code, path: path.join('/'), message })),
    };
}

const told = [];
for (const path of process.argv.slice(2))
    told.push(await read(path));
console.log(JSON.stringify(told));
