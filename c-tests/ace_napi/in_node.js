// SPDX-License-Identifier: Apache-2.0
// in_node.js MODULE: loads the module as Node's process, calls its functions, and has it start itself as a child.
'use strict';

const assert = require('node:assert');
const os = require('node:os');
const path = require('node:path');

const file = process.argv[2];
const entry = { exports: {} };
process.dlopen(entry, file, os.constants.dlopen.RTLD_NOW);

assert.strictEqual(entry.exports.half(5), 2.5);
assert.strictEqual(entry.exports.numberThroughHandle(), 42);

const [status, known] = entry.exports.unknownToNode();
const INVALID_ARG = 1;
const GENERIC_FAILURE = 9;
assert.strictEqual(status, known ? INVALID_ARG : GENERIC_FAILURE);

// Node's own child processes are none of the library's business, and the other way round.
let childOfNode;
require('node:child_process').execFile(process.execPath, ['-p', '6 * 7'], (error, output) => {
    assert.ifError(error);
    childOfNode = output.trim();
});

let answer;
assert.strictEqual(entry.exports.addInChild(path.basename(file), 2, 3, (...told) => { answer = told; }), 0);
process.on('exit', (code) => {
    if (code === 0) {
        // Node has its standard descriptors closed in what it executes; the child has all three of them nevertheless.
        assert.deepStrictEqual(answer, [0, 5, GENERIC_FAILURE, process.pid, 3]);
        assert.strictEqual(childOfNode, '42');
        console.log(`the child's answer: ${answer[1]}`);
    }
});
