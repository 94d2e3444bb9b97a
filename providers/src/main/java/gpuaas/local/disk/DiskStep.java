package gpuaas.local.disk;

/** The steps of work on disks, in order, so that a test can end it all after each. */
public enum DiskStep {
  /** A folder apart for what is being made. */
  DRAFT,
  /** Its volume, empty or a copy. */
  VOLUME,
  /** What may be kept on it. */
  LIMIT,
  /** What it is, written down. */
  NOTE,
  /** In its place, to be seen. */
  PLACED,
  /** Out of its place, and no longer seen. */
  TAKEN_OUT,
  /** Its volume is gone. */
  VOLUME_GONE,
  /** What an image has in a home is on it. */
  HOME_COPIED,
  /** It is written down that it is not new any more. */
  HOME_NOTED
}
