/** How a title's picture and sound are told in words. Pure. */

/** `Stereo`, `5.1 surround`: what a number of channels is called. */
export function channelsOf(channels: number): string {
  const names: Record<number, string> = { 1: "mono", 2: "stereo", 6: "5.1 surround", 8: "7.1 surround" };
  return names[channels] ?? `${channels} channels`;
}

/** `Up to 1080p (1920 × 1080)`. */
export function qualityOf(picture: { name: string; width: number; height: number }): string {
  return `Up to ${picture.name} (${picture.width} × ${picture.height})`;
}
