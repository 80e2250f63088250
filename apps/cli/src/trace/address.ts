const [AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6] = [0, 1, 2, 10];

/** A struct sockaddr as people write it: `127.0.0.1:80`, `[::1]:80`, `unix:/run/socket`; of other families the number. */
export function sockaddrText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const family = view.getUint16(0, true);
  if (family === AF_INET) return `${ipv4(bytes.subarray(4, 8))}:${view.getUint16(2)}`;
  if (family === AF_INET6) return `[${ipv6(bytes.subarray(8, 24))}]:${view.getUint16(2)}`;
  if (family === AF_UNIX) return `unix:${unixPath(bytes.subarray(2))}`;
  return family === AF_UNSPEC ? 'AF_UNSPEC' : `family ${family}`;
}

/** An abstract name begins with a NUL, which is written as @. */
function unixPath(bytes: Uint8Array): string {
  const abstract = bytes[0] === 0;
  const name = abstract ? bytes.subarray(1) : bytes;
  const end = name.indexOf(0);
  return `${abstract ? '@' : ''}${new TextDecoder().decode(end < 0 ? name : name.subarray(0, end))}`;
}

export const ipv4 = (bytes: Uint8Array): string => bytes.join('.');

/** With the longest run of zeros as `::`, as RFC 5952 has it. */
export function ipv6(bytes: Uint8Array): string {
  const groups = Buffer.from(bytes).toString('hex').match(/..../g) ?? [];
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
