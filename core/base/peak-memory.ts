/** Most memory that this process has held at once, bytes. */
export function peakMemory(): number {
  // Node counts in kibibytes, whatever the system does.
  return process.resourceUsage().maxRSS * 1024;
}
