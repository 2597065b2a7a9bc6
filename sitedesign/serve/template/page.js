// Coasts and borders come from the planner itself; greys that read on a light and on a dark sea.
window.drawWorld = async (map) => {
  const world = await (await fetch("world.json")).json();
  const looks = { states: ["#98a0a8", 0.4], countries: ["#858d95", 0.8], gshhs: ["#6c747c", 1] };
  for (const [kind, [color, weight]] of Object.entries(looks))
    L.polyline(world[kind], { color, weight, interactive: false, smoothFactor: 1.5 }).addTo(map);
};
window.screenIs = () => ({ dark: matchMedia("(prefers-color-scheme: dark)").matches, width: innerWidth });
// Waits for the page to show what has just changed.
window.showFirst = (selector) => setTimeout(() =>
  [...document.querySelectorAll(selector)].find((one) => one.offsetParent)?.scrollIntoView({ block: selector === ".answers" ? "start" : "center" }), 250);
