/** `FIOCLEX` of <asm-generic/ioctls.h>, and of macOS's <sys/filio.h>: an ioctl(2) that takes no third argument. */
const FIOCLEX = process.platform === "darwin" ? 0x20006601n : 0x5451n;

/**
 * Keeps a descriptor from the programs that are started later. The library that opens terminals does not: each program would hold the terminals of all
 * that were started before it, could read and write them, and would keep them from being hung up when the keeper dies. The runtime has no fcntl(2) of its
 * own. Its ffi is loaded with the first terminal; where it is missing, all is as the library leaves it.
 */
export function closeOnExec(fd: number): void {
  using library = process
    .getBuiltinModule("node:ffi")
    ?.dlopen(null, { ioctl: { arguments: ["i32", "u64"], return: "i32" } });
  library?.functions.ioctl(fd, FIOCLEX);
}
