// Answers with its input and with who asked, as JSON.

const PIECE = 4096;

/** All of standard input, as text. */
function read(): string {
  const piece = new ArrayBuffer(PIECE);
  const input = new Array<u8>();
  for (;;) {
    const got = <i32>process.stdin.read(piece);
    if (got <= 0) break;
    const bytes = Uint8Array.wrap(piece, 0, got);
    for (let i = 0; i < got; i++) input.push(bytes[i]);
  }
  return String.UTF8.decodeUnsafe(input.dataStart, input.length);
}

/** `text` as a JSON string. */
function quoted(text: string): string {
  let json = '"';
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit == 0x22 || unit == 0x5c) {
      json += "\\" + text.charAt(i);
    } else if (unit < 0x20) {
      json += "\\u" + unit.toString(16).padStart(4, "0");
    } else {
      json += text.charAt(i);
    }
  }
  return json + '"';
}

const input = read();
const sender = process.env.has("NEAR_SENDER_ID") ? quoted(process.env.get("NEAR_SENDER_ID")) : "null";
process.stdout.write('{"input":' + quoted(input) + ',"sender":' + sender + "}");
