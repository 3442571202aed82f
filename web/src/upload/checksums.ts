/** Requests checksums from the worker. One worker serves all uploads of the page. */

interface Waiting {
  resolve: (checksum: string) => void;
  reject: (error: Error) => void;
}

interface Answer {
  id: number;
  checksum?: string;
  problem?: string;
}

let worker: Worker | null = null;
let next = 0;
const waiting = new Map<number, Waiting>();

function open(): Worker {
  const started = new Worker(new URL("./md5.worker.ts", import.meta.url), { type: "module" });
  started.onmessage = ({ data }: MessageEvent<Answer>) => {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.checksum !== undefined) asked?.resolve(data.checksum);
    else asked?.reject(new Error("The file cannot be read any more. Choose it again."));
  };
  started.onerror = () => {
    for (const asked of waiting.values()) asked.reject(new Error("The file cannot be read."));
    waiting.clear();
    worker = null;
  };
  return started;
}

/** MD5 in hex. */
export function md5(part: Blob): Promise<string> {
  worker ??= open();
  const id = (next += 1);
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker!.postMessage({ id, part });
  });
}
