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
// Styles by name: of a font its weight, size and colour; format of a number; the least that is not shown as zero.
const FONTS = [["", 11], ["<b/>", 11], ["<b/>", 14], ["<b/>", 11, "FF1B6E36"], ["<b/>", 11, "FF8A5200"]];
const STYLES = { text: [0, ""], bold: [1, ""], title: [2, ""], good: [3, ""], open: [4, ""], general: [0, ""],
  whole: [0, "#,##0;[Red]-#,##0;0", 0.5], tonnes: [0, "#,##0.00;[Red]-#,##0.00;0.00", 0.005],
  percent: [0, "0.000%;[Red]-0.000%;0.000%", 5e-6], exact: [0, "0.0E+00"] };
const STYLE_NAMES = Object.keys(STYLES);
const styled = (style, value) => ({ style, value });

// Sheets have a name, widths of columns and rows of cells, each a value or one with its style; what is `frozen` are the
// rows that stay in view.
function sheetOf({ widths, rows, frozen = 0 }) {
  const cell = (one) => {
    const { style, value } = one?.style ? one : styled(typeof one === "number" ? "general" : "text", one);
    const number = STYLE_NAMES.indexOf(style);
    if (typeof value !== "number") {
      return `<c s="${number}" t="inlineStr"><is><t xml:space="preserve">${escaped(String(value))}</t></is></c>`;
    }
    return `<c s="${number}"><v>${Math.abs(value) < (STYLES[style][2] ?? 0) ? 0 : value}</v></c>`;
  };
  const columns = widths.map((width, place) =>
    `<col min="${place + 1}" max="${place + 1}" width="${width}" customWidth="1"/>`);
  const lines = rows.map((row) => `<row>${row.map(cell).join("")}</row>`);
  const pane = frozen ? `<pane ySplit="${frozen}" topLeftCell="A${frozen + 1}" activePane="bottomLeft" state="frozen"/>` : "";
  return `${XML}<worksheet xmlns="${MAIN}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetViews>`
    + `<sheetView workbookViewId="0">${pane}</sheetView></sheetViews><cols>${columns.join("")}</cols>`
    + `<sheetData>${lines.join("")}</sheetData>`
    + '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/></worksheet>';
}

function stylesOf() {
  const codes = [...new Set(Object.values(STYLES).map(([, code]) => code).filter(Boolean))], first = 164;
  const fonts = FONTS.map(([weight, size, colour]) => `<font>${weight}<sz val="${size}"/>`
    + `${colour ? `<color rgb="${colour}"/>` : ""}<name val="Calibri"/></font>`);
  const formats = codes.map((code, k) => `<numFmt numFmtId="${first + k}" formatCode="${escaped(code)}"/>`);
  const cells = Object.values(STYLES).map(([font, code]) => `<xf numFmtId="${code ? first + codes.indexOf(code) : 0}" `
    + `fontId="${font}" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/>`);
  return `${XML}<styleSheet xmlns="${MAIN}"><numFmts count="${formats.length}">${formats.join("")}</numFmts>`
    + `<fonts count="${fonts.length}">${fonts.join("")}</fonts>`
    + '<fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="1"><border/></borders>'
    + `<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="${cells.length}">${cells.join("")}</cellXfs></styleSheet>`;
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
  return zipped({
    "[Content_Types].xml": `${XML}<Types xmlns="${OFFICE}/package/2006/content-types"><Default Extension="rels" `
      + `ContentType="application/vnd.openxmlformats-package.relationships+xml"/>${overrides.join("")}</Types>`,
    "_rels/.rels": relations([["officeDocument", "xl/workbook.xml"]]),
    "xl/workbook.xml": `${XML}<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}/officeDocument/2006/relationships"><sheets>`
      + `${listed.join("")}</sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": relations([
      ...sheets.map((_, place) => ["worksheet", `worksheets/sheet${place + 1}.xml`]), ["styles", "styles.xml"]]),
    "xl/styles.xml": stylesOf(),
    ...Object.fromEntries(sheets.map((sheet, place) => [`xl/worksheets/sheet${place + 1}.xml`, sheetOf(sheet)])),
  });
}
