/** Owns what Tilt's `custom_build` tells the command that it runs. */

/**
 * The reference that Tilt expects the build to make, or undefined outside Tilt and where Tilt reads it from a
 * file instead (`outputs_image_ref_to`).
 */
export function readExpectedRef(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return env.EXPECTED_REF || undefined;
}
