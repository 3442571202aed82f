/** The client's own icons: 24 x 24, drawn with the current colour, hidden from screen readers. */

import type { ComponentChildren } from "preact";

function Icon({ children, filled = false }: { children: ComponentChildren; filled?: boolean }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      width="24"
      height="24"
      aria-hidden="true"
      focusable="false"
      fill={filled ? "currentColor" : "none"}
      stroke={filled ? "none" : "currentColor"}
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
    >
      {children}
    </svg>
  );
}

export const PlayIcon = () => <Icon filled><path d="M7 4.6v14.8a1 1 0 0 0 1.53.85l11.6-7.4a1 1 0 0 0 0-1.7L8.53 3.75A1 1 0 0 0 7 4.6Z" /></Icon>;
export const PauseIcon = () => <Icon filled><rect x="5.5" y="4" width="4.5" height="16" rx="1.2" /><rect x="14" y="4" width="4.5" height="16" rx="1.2" /></Icon>;
export const ReplayIcon = () => <Icon><path d="M3 12a9 9 0 1 0 3-6.7L3 8" /><path d="M3 3v5h5" /></Icon>;
export const BackIcon = () => <Icon><path d="M15 5l-7 7 7 7" /></Icon>;
export const ForwardIcon = () => <Icon><path d="M9 5l7 7-7 7" /></Icon>;
export const SearchIcon = () => <Icon><circle cx="11" cy="11" r="7" /><path d="M20.5 20.5L16 16" /></Icon>;
export const CloseIcon = () => <Icon><path d="M6 6l12 12M18 6L6 18" /></Icon>;
export const HomeIcon = () => <Icon><path d="M4 11l8-7 8 7v8a1 1 0 0 1-1 1h-4.5v-6h-5v6H5a1 1 0 0 1-1-1z" /></Icon>;
export const HistoryIcon = () => <Icon><circle cx="12" cy="12" r="8.5" /><path d="M12 7v5l3.5 2" /></Icon>;
export const UploadIcon = () => <Icon><path d="M12 15.5V4M7.5 8L12 3.5 16.5 8" /><path d="M4 15v4a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-4" /></Icon>;
export const StudioIcon = () => <Icon><rect x="3.5" y="5" width="17" height="14" rx="2" /><path d="M3.5 10h17M3.5 14.5h17M9 10v9" /></Icon>;
export const PersonIcon = () => <Icon><circle cx="12" cy="8" r="4" /><path d="M4.5 20.5c.9-4 3.8-5.7 7.5-5.7s6.6 1.7 7.5 5.7" /></Icon>;
export const InfoIcon = () => <Icon><circle cx="12" cy="12" r="9" /><path d="M12 11v5.5" /><path d="M12 7.5v.01" /></Icon>;
export const VolumeIcon = () => <Icon><path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z" fill="currentColor" /><path d="M15.5 8.5a5 5 0 0 1 0 7M18.3 5.7a9 9 0 0 1 0 12.6" /></Icon>;
export const MutedIcon = () => <Icon><path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z" fill="currentColor" /><path d="M16 9.5l5 5M21 9.5l-5 5" /></Icon>;
export const SettingsIcon = () => <Icon><path d="M4 7h9M17.5 7H20M4 17h2.5M11 17h9" /><circle cx="15.2" cy="7" r="2.3" /><circle cx="8.8" cy="17" r="2.3" /></Icon>;
export const CaptionsIcon = () => <Icon><rect x="3" y="5" width="18" height="14" rx="2.5" /><path d="M10.5 10.6a2.2 2.2 0 1 0 0 2.8M17 10.6a2.2 2.2 0 1 0 0 2.8" /></Icon>;
export const FullscreenIcon = () => <Icon><path d="M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5" /></Icon>;
export const LeaveFullscreenIcon = () => <Icon><path d="M9 4v5H4M15 4v5h5M9 20v-5H4M15 20v-5h5" /></Icon>;
export const HelpIcon = () => <Icon><circle cx="12" cy="12" r="9" /><path d="M9.5 9.5a2.6 2.6 0 1 1 3.7 2.4c-.8.4-1.2.9-1.2 1.8" /><path d="M12 17v.01" /></Icon>;
export const ShowIcon = () => <Icon><path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z" /><circle cx="12" cy="12" r="3" /></Icon>;
export const HideIcon = () => <Icon><path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z" /><circle cx="12" cy="12" r="3" /><path d="M4 4l16 16" /></Icon>;
export const CheckIcon = () => <Icon><path d="M5 12.5l4.5 4.5L19 7.5" /></Icon>;
export const AlertIcon = () => <Icon><path d="M12 3.5l9.3 16.2a.6.6 0 0 1-.5.9H3.2a.6.6 0 0 1-.5-.9z" /><path d="M12 10v4.5M12 17.6v.01" /></Icon>;
export const BackTenIcon = () => <Icon><path d="M4 12a8 8 0 1 0 2.6-5.9L4 8.5" /><path d="M4 4v4.5h4.5" /><text class="icon-text" x="12.2" y="15">10</text></Icon>;
export const ForwardTenIcon = () => <Icon><path d="M20 12a8 8 0 1 1-2.6-5.9L20 8.5" /><path d="M20 4v4.5h-4.5" /><text class="icon-text" x="11.8" y="15">10</text></Icon>;

/** The logo: an M with a row of lamps as its strokes. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path
        d="M6 24V9.5a1.5 1.5 0 0 1 2.7-.9L16 18.3l7.3-9.7a1.5 1.5 0 0 1 2.7.9V24"
        fill="none"
        stroke="currentColor"
        stroke-width="4"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}

export const LanguageIcon = () => <Icon><circle cx="12" cy="12" r="8.5" /><path d="M3.5 12h17M12 3.5c5 5.5 5 11.5 0 17c-5-5.5-5-11.5 0-17z" /></Icon>;
export const SmallWindowIcon = () => <Icon><rect x="3" y="5" width="18" height="14" rx="2.5" /><rect x="11.5" y="11.5" width="7" height="5" rx="1" fill="currentColor" /></Icon>;
export const CastIcon = () => <Icon><path d="M3 8V7a2 2 0 0 1 2-2h14a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2h-5" /><path d="M3 12a7 7 0 0 1 7 7M3 16a3 3 0 0 1 3 3" /></Icon>;
export const StatsIcon = () => <Icon><path d="M5 20v-6M10 20V9M15 20v-9M20 20V4" /></Icon>;
export const MoreIcon = () => <Icon filled><circle cx="12" cy="5" r="2" /><circle cx="12" cy="12" r="2" /><circle cx="12" cy="19" r="2" /></Icon>;
