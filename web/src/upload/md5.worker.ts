/** MD5 of a part, off the main thread. In: {id, part}. Out: {id, checksum} or {id, problem}. */

import SparkMD5 from "spark-md5";

const SLICE_BYTES = 2 * 1024 * 1024;

async function checksum(part: Blob): Promise<string> {
  const md5 = new SparkMD5.ArrayBuffer();
  for (let start = 0; start < part.size; start += SLICE_BYTES) {
    md5.append(await part.slice(start, start + SLICE_BYTES).arrayBuffer());
  }
  return md5.end();
}

self.onmessage = (event: MessageEvent<{ id: number; part: Blob }>) => {
  const { id, part } = event.data;
  checksum(part).then(
    (value) => self.postMessage({ id, checksum: value }),
    (error: unknown) => self.postMessage({ id, problem: error instanceof Error ? error.message : String(error) }),
  );
};
