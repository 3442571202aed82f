// The bound of an edge's log on disk. The lines are in edge_log.conf.jinja, their reader is marquee.cdn.edge_log.
// `log_bounds` is a file that marquee.platform.programs.edges writes: {folder, maxBytes}.

import fs from 'fs';

const SEGMENT = /^[0-9]{9,12}-[0-9]+\.jsonl$/;
const SEGMENT_SECONDS = 10;
// The folder is listed at once, and each file takes a block of the disk.
const MAX_FILES = 10000;
const BLOCK_BYTES = 4096;

// Removes the oldest files past the bound. Their reader has been away for too long, and the edge does not wait for it.
function drop() {
    const now = Math.floor(Date.now() / 1000 / SEGMENT_SECONDS);
    const names = fs.readdirSync(log_bounds.folder).filter((name) => SEGMENT.test(name)).sort();
    const sizes = names.map(size);
    let bytes = sizes.reduce((sum, each) => sum + each, 0);
    let files = 0, dropped = 0;
    // The newest are still written to.
    while (files < names.length && parseInt(names[files]) < now - 1
            && (bytes > log_bounds.maxBytes || names.length - files > MAX_FILES)) {
        remove(names[files]);
        bytes -= sizes[files];
        dropped += sizes[files];
        files++;
    }
    if (files) {
        count(files, dropped);
        ngx.log(ngx.ERR, `the log of requests has reached ${log_bounds.maxBytes} bytes: dropped ${files} files, ${dropped} bytes`);
    }
}

function size(name) {
    try {
        return Math.max(BLOCK_BYTES, fs.statSync(`${log_bounds.folder}/${name}`).size);
    } catch (error) {
        return 0;  // Its reader has removed it.
    }
}

function remove(name) {
    try {
        fs.unlinkSync(`${log_bounds.folder}/${name}`);
    } catch (error) {
        // Its reader has removed it.
    }
}

// Adds to the totals in dropped.json, from which the reader tells the operator.
function count(files, bytes) {
    const path = `${log_bounds.folder}/dropped.json`;
    let total = {files: 0, bytes: 0};
    try {
        total = JSON.parse(fs.readFileSync(path));
    } catch (error) {
        // The first loss.
    }
    fs.writeFileSync(`${path}.new`, JSON.stringify({files: total.files + files, bytes: total.bytes + bytes}));
    fs.renameSync(`${path}.new`, path);
}

export default {drop};
