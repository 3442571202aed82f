/**
 * A fresh stream URL without loading the film again. `/v/{token}/{expires}/{session_id}/{movie_id}/v{version}/...`: only
 * token, expiry and session (and perhaps the edge) differ between two URLs of one version, so requests that hls.js derives from the old
 * URL are sent to the new one. A URL of an older release has no session.
 */

const SIGNED = /^(\/v\/[^/]+\/[^/]+(?:\/v_[^/]+)?)(\/.*?\/v\d+\/)/;

interface Base {
  origin: string;
  /** `/v/{token}/{expires}/{session_id}` */
  signature: string;
  /** `/{movie_id}/v{version}/` */
  version: string;
}

function baseOf(url: string): Base | null {
  if (!URL.canParse(url)) return null;
  const { origin, pathname } = new URL(url);
  const [, signature, version] = SIGNED.exec(pathname) ?? [];
  if (signature === undefined || version === undefined) return null;
  return { origin, version, signature };
}

/** Whether both addresses are of the same version of the same title. A new version has other segments. */
export function isSameVersion(one: string, other: string): boolean {
  const version = baseOf(one)?.version;
  return version !== undefined && version === baseOf(other)?.version;
}

/** `url` with the signature of `newest`, and with its edge if `url` is of the edge of `oldest`, the address it was derived from. */
export function rebased(url: string, oldest: string, newest: string): string {
  const [from, to] = [baseOf(url), baseOf(newest)];
  if (from === null || to === null || from.version !== to.version) return url;
  const { origin, pathname, search } = new URL(url);
  const edge = origin === baseOf(oldest)?.origin ? to.origin : origin;
  return edge + to.signature + pathname.slice(from.signature.length) + search;
}
