// A workbook of Office Open XML: texts in a zip archive that stores them as they are.
const CRC = Uint32Array.from({ length: 256 }, (_, number) => {
  let sum = number;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? 0xedb88320 ^ (sum >>> 1) : sum >>> 1;
  return sum;
});
const crc32 = (bytes) => ~bytes.reduce((sum, byte) => CRC[(sum ^ byte) & 255] ^ (sum >>> 8), -1) >>> 0;
// Numbers of a zip archive have two or four bytes, the lowest first; its first day is that of 1980.
const little = (fields) => Uint8Array.from(fields.flatMap(([number, size]) =>
  Array.from({ length: size }, (_, byte) => Math.floor(number / 256 ** byte) % 256)));
const FIRST_DAY = 0x21, UTF8 = 0x800, VERSION = 20;

function zipped(parts) {
  const files = [], entries = [], sizeOf = (list) => list.reduce((sum, one) => sum + one.length, 0);
  for (const [path, text] of Object.entries(parts)) {
    const [name, bytes] = [path, text].map((one) => new TextEncoder().encode(one)), start = sizeOf(files);
    const about = [[VERSION, 2], [UTF8, 2], [0, 2], [0, 2], [FIRST_DAY, 2], [crc32(bytes), 4], [bytes.length, 4],
      [bytes.length, 4], [name.length, 2], [0, 2]];
    files.push(little([[0x04034b50, 4], ...about]), name, bytes);
    entries.push(little([[0x02014b50, 4], [VERSION, 2], ...about, [0, 2], [0, 2], [0, 2], [0, 4], [start, 4]]), name);
  }
  const count = Object.keys(parts).length;
  const end = little([[0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [sizeOf(entries), 4],
    [sizeOf(files), 4], [0, 2]]);
  return [...files, ...entries, end];
}

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
// What XML may not hold has no place in a cell.
const escaped = (text) => text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
  .replace(/[&<>"]/g, (sign) => ESCAPES[sign]);
const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const OFFICE = "http://schemas.openxmlformats.org", MAIN = `${OFFICE}/spreadsheetml/2006/main`;
const TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml";
const BOLD = 1;

// Sheets have a name, widths of columns and rows of cells; `heads` are the numbers of the rows in bold.
function sheetOf({ widths, rows, heads }) {
  const cell = (value, style) => typeof value === "number" ? `<c s="${style}"><v>${value}</v></c>`
    : `<c s="${style}" t="inlineStr"><is><t xml:space="preserve">${escaped(String(value))}</t></is></c>`;
  const columns = widths.map((width, place) =>
    `<col min="${place + 1}" max="${place + 1}" width="${width}" customWidth="1"/>`);
  const lines = rows.map((row, place) =>
    `<row>${row.map((value) => cell(value, heads.includes(place) ? BOLD : 0)).join("")}</row>`);
  return `${XML}<worksheet xmlns="${MAIN}"><cols>${columns.join("")}</cols>`
    + `<sheetData>${lines.join("")}</sheetData></worksheet>`;
}

function workbook(sheets) {
  const overrides = ["workbook", "styles", ...sheets.map((_, place) => `worksheets/sheet${place + 1}`)].map((part) =>
    `<Override PartName="/xl/${part}.xml" ContentType="${TYPE}.${part === "workbook" ? "sheet.main" : part.split("/")[0]
      .replace("worksheets", "worksheet")}+xml"/>`);
  const relation = ([kind, target], place) => `<Relationship Id="rId${place + 1}" `
    + `Type="${OFFICE}/officeDocument/2006/relationships/${kind}" Target="${target}"/>`;
  const relations = (list) => `${XML}<Relationships xmlns="${OFFICE}/package/2006/relationships">`
    + `${list.map(relation).join("")}</Relationships>`;
  const listed = sheets.map(({ name }, place) =>
    `<sheet name="${escaped(name)}" sheetId="${place + 1}" r:id="rId${place + 1}"/>`);
  const font = (more) => `<font>${more}<sz val="11"/><name val="Calibri"/></font>`;
  const format = (id) => `<xf numFmtId="0" fontId="${id}" fillId="0" borderId="0" xfId="0"/>`;
  return zipped({
    "[Content_Types].xml": `${XML}<Types xmlns="${OFFICE}/package/2006/content-types"><Default Extension="rels" `
      + `ContentType="application/vnd.openxmlformats-package.relationships+xml"/>${overrides.join("")}</Types>`,
    "_rels/.rels": relations([["officeDocument", "xl/workbook.xml"]]),
    "xl/workbook.xml": `${XML}<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}/officeDocument/2006/relationships"><sheets>`
      + `${listed.join("")}</sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": relations([
      ...sheets.map((_, place) => ["worksheet", `worksheets/sheet${place + 1}.xml`]), ["styles", "styles.xml"]]),
    "xl/styles.xml": `${XML}<styleSheet xmlns="${MAIN}"><fonts count="2">${font("")}${font("<b/>")}</fonts>`
      + '<fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="1"><border/></borders>'
      + '<cellStyleXfs count="1"><xf/></cellStyleXfs>'
      + `<cellXfs count="2">${format(0)}${format(1)}</cellXfs></styleSheet>`,
    ...Object.fromEntries(sheets.map((sheet, place) => [`xl/worksheets/sheet${place + 1}.xml`, sheetOf(sheet)])),
  });
}
