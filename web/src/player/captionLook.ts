/** Sizes and looks of subtitles that a viewer may choose. Pure: `styles/captions.css` draws each look by its class. */

/** Font size as a multiple of the usual one. The keys are stored on viewers' devices: never rename one. */
export const CAPTION_SIZES = { small: 0.75, normal: 1, large: 1.35, larger: 1.7, largest: 2.1 } as const;

/** The keys are stored on viewers' devices: never rename one. */
export const CAPTION_LOOKS = ["shade", "solid", "outline", "yellow", "paper"] as const;

export type CaptionSize = keyof typeof CAPTION_SIZES;
export type CaptionLook = (typeof CAPTION_LOOKS)[number];

export const SIZE_NAMES: Record<CaptionSize, string> = {
  small: "Small",
  normal: "Normal",
  large: "Large",
  larger: "Larger",
  largest: "Largest",
};

export const LOOK_NAMES: Record<CaptionLook, string> = {
  shade: "White on a shade",
  solid: "White on black",
  outline: "White, no background",
  yellow: "Yellow on black",
  paper: "Black on white",
};

const SIZES = Object.keys(CAPTION_SIZES) as CaptionSize[];

export const isCaptionSize = (value: unknown): value is CaptionSize => SIZES.includes(value as CaptionSize);

export const isCaptionLook = (value: unknown): value is CaptionLook => CAPTION_LOOKS.includes(value as CaptionLook);

/** The next size up (`by` 1) or down (-1). The smallest and the largest stay. */
export function stepSize(size: CaptionSize, by: number): CaptionSize {
  return SIZES[Math.min(SIZES.length - 1, Math.max(0, SIZES.indexOf(size) + by))]!;
}
