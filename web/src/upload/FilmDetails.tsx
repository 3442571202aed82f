/** The form for a film's details, which an engineer fills in before the upload. */

import type { Problem } from "../api/problem";
import { CloseIcon } from "../components/icons";
import { TitleFields } from "../components/TitleFields";
import { SubtitleProblem } from "./opening";
import { KINDS, newSubtitleFile, type Kind, type SubtitleFile } from "./subtitleFile";

export interface Details {
  title: string;
  year: number | null;
  genres: string;
  description: string;
  hot: boolean;
  subtitles: SubtitleFile[];
}

interface Props {
  details: Details;
  change: (details: Details) => void;
  /** A title whose film is replaced keeps its details. */
  replacing: boolean;
  problem: Problem | null;
  send: () => void;
}

export function FilmDetails({ details, replacing, change, problem, send }: Props) {
  const set = (part: Partial<Details>) => change({ ...details, ...part });
  const setSubtitle = (at: number, part: Partial<SubtitleFile>) =>
    set({ subtitles: details.subtitles.map((one, i) => (i === at ? { ...one, ...part } : one)) });
  const ofSubtitle = problem instanceof SubtitleProblem ? problem : null;
  const invalid = (field: string) => (ofSubtitle === null && problem?.field === field) || undefined;
  const invalidSubtitle = (at: number, field: string) => (ofSubtitle?.at === at && ofSubtitle.field === field) || undefined;
  return (
    <form
      class="details"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {!replacing && (
        <TitleFields
          fields={{ ...details, year: details.year?.toString() ?? "" }}
          change={({ year, ...others }) =>
            set(year === undefined ? others : { ...others, year: year === "" ? null : Number(year) })
          }
          invalid={invalid}
          wide="details-wide"
        />
      )}
      <div class="details-wide subtitle-files">
        {details.subtitles.map(({ file, language, encoding, kind }, at) => (
          <div class={`subtitle-file ${ofSubtitle?.at === at ? "refused" : ""}`} key={`${at} ${file.name}`}>
            <span>{file.name}</span>
            <input
              class="input"
              aria-label={`Language of ${file.name}`}
              pattern="[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*"
              title="A language code such as en or pt-BR"
              placeholder="language"
              value={language}
              aria-invalid={invalidSubtitle(at, "language")}
              onInput={(event) => setSubtitle(at, { language: event.currentTarget.value })}
            />
            <select
              class="input"
              aria-label={`Kind of ${file.name}`}
              value={kind}
              onChange={(event) => setSubtitle(at, { kind: event.currentTarget.value as Kind })}
            >
              {Object.entries(KINDS).map(([value, words]) => (
                <option key={value} value={value}>
                  {words}
                </option>
              ))}
            </select>
            <input
              class="input"
              aria-label={`Encoding of ${file.name}`}
              title="An encoding such as windows-1251. Empty: the platform finds it out"
              placeholder="encoding"
              maxLength={40}
              value={encoding}
              aria-invalid={invalidSubtitle(at, "encoding")}
              onInput={(event) => setSubtitle(at, { encoding: event.currentTarget.value })}
            />
            <button
              type="button"
              class="icon-button"
              aria-label={`Leave out ${file.name}`}
              onClick={() => set({ subtitles: details.subtitles.filter((_, i) => i !== at) })}
            >
              <CloseIcon />
            </button>
          </div>
        ))}
        <label class="button quiet file-button">
          Add subtitles
          <input
            type="file"
            class="hidden-visually"
            accept=".srt,.vtt,.ass,.ssa,.ttml,.dfxp,.xml"
            multiple
            onChange={(event) => {
              const added = [...(event.currentTarget.files ?? [])].map(newSubtitleFile);
              event.currentTarget.value = "";
              set({ subtitles: [...details.subtitles, ...added] });
            }}
          />
        </label>
      </div>
      <label class="check details-wide">
        <input type="checkbox" checked={details.hot} onChange={(event) => set({ hot: event.currentTarget.checked })} />
        <span>
          New release
          <small>Encoded before everything else, and pushed to every edge.</small>
        </span>
      </label>
      <button class="button primary details-wide" type="submit">
        Upload
      </button>
    </form>
  );
}
