// Keeps the points of a chart for the script that draws them: sent once, whatever changes later.
export default function ({ data }) {
  if (!data) return;
  const length = new DataView(data.buffer, data.byteOffset, 4).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + length)));
  globalThis.layervizPoints ||= new Map();
  const known = globalThis.layervizPoints.get(header.chart);
  if (!known || known.key !== header.key) {
    globalThis.layervizPoints.set(header.chart, { key: header.key, bytes: data });
  }
}
