// All that the maps can do is one class, whose parts have a file each.
for (const part of [Controls, Mouse, Pane]) {
  for (const name of Object.getOwnPropertyNames(part.prototype)) {
    if (name !== "constructor") Maps.prototype[name] = part.prototype[name];
  }
}

globalThis.layervizMaps = { Maps, Points, fromBase64 };
