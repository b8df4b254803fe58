import { crc32, deflateRawSync } from "node:zlib";

/** The archive that Pulumi would upload: entries in the order of their names, with no times, so equal files are equal archives. */
export function zip(files: { name: string; content: Buffer }[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content } of [...files].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const compressed = deflateRawSync(content);
    const path = Buffer.from(name, "utf8");
    const entry = describe(content, compressed, path);
    const local = Buffer.concat([signed(0x04034b50), entry, path, compressed]);
    const end = Buffer.alloc(14);
    end.writeUInt32LE((0o100644 << 16) >>> 0, 6);
    end.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([signed(0x02014b50), MADE_BY_UNIX, entry, end, path]));
    bodies.push(local);
    offset += local.length;
  }
  const size = directory.reduce((sum, each) => sum + each.length, 0);
  const tail = Buffer.alloc(18);
  tail.writeUInt16LE(files.length, 4);
  tail.writeUInt16LE(files.length, 6);
  tail.writeUInt32LE(size, 8);
  tail.writeUInt32LE(offset, 12);
  return Buffer.concat([...bodies, ...directory, signed(0x06054b50), tail]);
}

const MADE_BY_UNIX = Buffer.from([20, 3]);
const UTF8_NAMES = 1 << 11;
const DEFLATED = 8;
/** The first day that the format can tell. */
const FIRST_DAY = (1 << 5) | 1;

/** The part that the entry and the directory have in common: from the version needed to the extra field's length. */
function describe(content: Buffer, compressed: Buffer, path: Buffer): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(UTF8_NAMES, 2);
  fields.writeUInt16LE(DEFLATED, 4);
  fields.writeUInt16LE(FIRST_DAY, 8);
  fields.writeUInt32LE(crc32(content), 10);
  fields.writeUInt32LE(compressed.length, 14);
  fields.writeUInt32LE(content.length, 18);
  fields.writeUInt16LE(path.length, 22);
  return fields;
}

function signed(signature: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(signature);
  return bytes;
}
