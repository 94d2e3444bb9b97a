package gpuaas.local.image.registry;

import gpuaas.local.image.ImageConfig;
import java.util.List;

/**
 * What is noted of an image that is here.
 *
 * @param digest of the image for this kind of machine
 * @param asked the digest under which it was asked for, which may be that of a list
 * @param blobs its layers and its config
 * @param bytes of its files
 */
record StoredImage(
    String digest, String asked, List<String> blobs, long bytes, ImageConfig config) {

  StoredImage {
    blobs = List.copyOf(blobs);
  }

  /** Whether a digest means this image. */
  boolean is(String any) {
    return digest.equals(any) || asked.equals(any);
  }
}
