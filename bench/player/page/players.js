/**
 * Other people's players with the configuration that they come with, started by a click. `?player=` names one, `&url=` is the
 * stream's URL. The script is loaded before the click, or after it with `&late=1`.
 */

const asked = new URLSearchParams(location.search);
const url = asked.get("url");
const video = document.querySelector("video");

const load = (source) =>
  new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = source;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${source} is missing: run make web`));
    document.head.append(script);
  });

const PLAYERS = {
  "hls.js": {
    script: "/scripts/hls.js/dist/hls.min.js",
    play() {
      const hls = new Hls();
      hls.loadSource(url);
      hls.attachMedia(video);
    },
  },
  shaka: {
    script: "/scripts/shaka-player/dist/shaka-player.compiled.js",
    async play() {
      shaka.polyfill.installAll();
      const player = new shaka.Player();
      await player.attach(video);
      await player.load(url);
    },
  },
  "dash.js": {
    script: "/scripts/dashjs/dist/modern/umd/dash.all.min.js",
    play() {
      dashjs.MediaPlayer().create().initialize(video, url, true);
    },
  },
};

const player = PLAYERS[asked.get("player")];
const late = asked.get("late") === "1";
if (!late) await load(player.script);
document.querySelector("#play").onclick = async () => {
  document.querySelector("#play").remove();
  if (late) await load(player.script);
  void video.play().catch(() => undefined);
  await player.play();
  void video.play().catch(() => undefined);
};
document.body.dataset.ready = "1";
