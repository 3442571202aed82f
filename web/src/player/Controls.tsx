/** The bar at the foot of the player. Stateless: it gets what to show, and reports what is pressed. */

import {
  BackTenIcon,
  CaptionsIcon,
  CastIcon,
  ForwardTenIcon,
  FullscreenIcon,
  LeaveFullscreenIcon,
  LanguageIcon,
  MoreIcon,
  MutedIcon,
  PauseIcon,
  PlayIcon,
  ReplayIcon,
  SettingsIcon,
  SmallWindowIcon,
  VolumeIcon,
} from "../components/icons";
import { clock } from "../domain/format";
import type { Choices } from "./media/contract";
import type { Sound } from "./media/sound";
import { Menu, type MenuChoice, type MenuGroup } from "./Menu";
import { RATES } from "./preferences";
import { ScrubBar } from "./ScrubBar";
import type { VideoState } from "./useVideo";

export type OpenMenu = "subtitles" | "audio" | "settings" | "more" | null;

interface Props {
  video: VideoState;
  choices: Choices;
  spriteVttUrl: string | null;
  fullscreen: boolean;
  smallWindow: { can: boolean; open: boolean };
  screens: { available: boolean; connected: boolean };
  menu: OpenMenu;
  setMenu: (menu: OpenMenu) => void;
  toggle: () => void;
  skip: (seconds: number) => void;
  seek: (seconds: number) => void;
  dragging: (dragging: boolean) => void;
  setVolume: (volume: number) => void;
  mute: () => void;
  setRate: (rate: number) => void;
  toggleFullscreen: () => void;
  chooseQuality: (id: number) => void;
  chooseAudio: (id: number) => void;
  chooseSound: (sound: Sound) => void;
  chooseSubtitle: (id: number) => void;
  toggleSmallWindow: () => void;
  chooseScreen: () => void;
  openCaptionLook: () => void;
  openStats: () => void;
}

export function Controls(props: Props) {
  const { video, choices, menu, setMenu } = props;
  const silent = video.muted || video.volume === 0;
  const menuProps = (name: Exclude<OpenMenu, null>) => ({
    open: menu === name,
    setOpen: (open: boolean) => setMenu(open ? name : null),
  });
  return (
    <div class="controls">
      <ScrubBar
        time={video.time}
        duration={video.duration}
        buffered={video.buffered}
        spriteVttUrl={props.spriteVttUrl}
        seek={props.seek}
        dragging={props.dragging}
      />
      <div class="control-line">
        <div class="transport">
          <button class="icon-button skip-ten" aria-label="10 seconds back" title="10 seconds back" onClick={() => props.skip(-10)}>
            <BackTenIcon />
          </button>
          <button
            class="icon-button play-pause"
            aria-label={video.ended ? "Replay" : video.paused ? "Play" : "Pause"}
            onClick={props.toggle}
            data-testid="play-pause"
          >
            {video.ended ? <ReplayIcon /> : video.paused ? <PlayIcon /> : <PauseIcon />}
          </button>
          <button class="icon-button skip-ten" aria-label="10 seconds on" title="10 seconds on" onClick={() => props.skip(10)}>
            <ForwardTenIcon />
          </button>
        </div>
        <div class="volume">
          <button class="icon-button" aria-label={silent ? "Sound on" : "Sound off"} onClick={props.mute}>
            {silent ? <MutedIcon /> : <VolumeIcon />}
          </button>
          <input
            type="range"
            aria-label="Volume"
            min={0}
            max={1}
            step={0.05}
            value={video.muted ? 0 : video.volume}
            style={{ "--part": `${(video.muted ? 0 : video.volume) * 100}%` }}
            onInput={(event) => props.setVolume(Number(event.currentTarget.value))}
          />
        </div>
        <span class="time" data-testid="time">
          {clock(video.time)} <span>/ {clock(video.duration)}</span>
        </span>
        <span class="space" />
        {choices.subtitles.length > 0 && (
          <Menu
            name="Subtitles"
            icon={<CaptionsIcon />}
            active={choices.subtitle >= 0}
            groups={[subtitleGroup(props), captionLookGroup(props)]}
            {...menuProps("subtitles")}
          />
        )}
        {(choices.audios.length > 1 || choices.sounds.length > 1) && (
          <Menu
            name="Audio"
            icon={<LanguageIcon />}
            groups={[
              ...(choices.audios.length > 1 ? [audioGroup(props)] : []),
              ...(choices.sounds.length > 1 ? [soundGroup(props)] : []),
            ]}
            {...menuProps("audio")}
          />
        )}
        <Menu
          name="Quality and speed"
          icon={<SettingsIcon />}
          groups={[...(choices.qualities.length > 0 ? [qualityGroup(props)] : []), speedGroup(props)]}
          {...menuProps("settings")}
        />
        {props.smallWindow.can && (
          <button
            class="icon-button where-wide"
            aria-label="Picture-in-picture"
            title="Picture-in-picture (P)"
            aria-pressed={props.smallWindow.open}
            onClick={props.toggleSmallWindow}
          >
            <SmallWindowIcon />
          </button>
        )}
        {props.screens.available && (
          <button
            class={`icon-button where-wide ${props.screens.connected ? "on" : ""}`}
            aria-label="Play on another screen"
            title="Play on another screen"
            aria-pressed={props.screens.connected}
            onClick={props.chooseScreen}
          >
            <CastIcon />
          </button>
        )}
        <Menu name="More" icon={<MoreIcon />} class="where-narrow" groups={[moreGroup(props)]} {...menuProps("more")} />
        <button
          class="icon-button"
          aria-label={props.fullscreen ? "Leave full screen" : "Full screen"}
          title={props.fullscreen ? "Leave full screen (F)" : "Full screen (F)"}
          onClick={props.toggleFullscreen}
        >
          {props.fullscreen ? <LeaveFullscreenIcon /> : <FullscreenIcon />}
        </button>
      </div>
    </div>
  );
}

function qualityGroup({ choices, chooseQuality }: Props): MenuGroup {
  const auto = {
    label: "Auto",
    note: choices.quality === -1 ? (choices.playing ?? undefined) : undefined,
    chosen: choices.quality === -1,
    choose: () => chooseQuality(-1),
  };
  const rungs = choices.qualities.map(({ id, label, lines }) => ({
    label,
    // A remembered quality is the most that is played: on a slow line less of it comes.
    note: choices.quality === id && choices.playing !== null && choices.playing !== `${lines}p` ? `now ${choices.playing}` : undefined,
    chosen: choices.quality === id,
    choose: () => chooseQuality(id),
  }));
  return { heading: "Quality", choices: [auto, ...rungs] };
}

function speedGroup({ video, setRate }: Props): MenuGroup {
  const choices = RATES.map((rate) => ({
    label: rate === 1 ? "Normal" : `${rate}×`,
    chosen: video.rate === rate,
    choose: () => setRate(rate),
  }));
  return { heading: "Speed", choices };
}

/** What has no place of its own in the bar of a narrow screen. */
function moreGroup(props: Props): MenuGroup {
  const { smallWindow, screens } = props;
  const choices: MenuChoice[] = [];
  if (smallWindow.can) {
    const label = smallWindow.open ? "Leave picture-in-picture" : "Picture-in-picture";
    choices.push({ label, choose: props.toggleSmallWindow });
  }
  if (screens.available) choices.push({ label: "Play on another screen", choose: props.chooseScreen });
  choices.push({ label: "Statistics", choose: props.openStats });
  return { heading: "More", choices };
}

function soundGroup({ choices, chooseSound }: Props): MenuGroup {
  return {
    heading: "Sound",
    choices: choices.sounds.map(({ sound, label }) => ({
      label,
      chosen: choices.sound === sound,
      choose: () => chooseSound(sound),
    })),
  };
}

function captionLookGroup({ openCaptionLook }: Props): MenuGroup {
  return { heading: "Look", choices: [{ label: "Size and look…", choose: openCaptionLook }] };
}

function audioGroup({ choices, chooseAudio }: Props): MenuGroup {
  return {
    heading: "Audio",
    choices: choices.audios.map(({ id, label }) => ({
      label,
      chosen: choices.audio === id,
      choose: () => chooseAudio(id),
    })),
  };
}

function subtitleGroup({ choices, chooseSubtitle }: Props): MenuGroup {
  const off = { label: "Off", chosen: choices.subtitle === -1, choose: () => chooseSubtitle(-1) };
  const tracks = choices.subtitles.map(({ id, label }) => ({
    label,
    chosen: choices.subtitle === id,
    choose: () => chooseSubtitle(id),
  }));
  return { heading: "Subtitles", choices: [off, ...tracks] };
}
