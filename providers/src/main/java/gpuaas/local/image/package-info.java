/**
 * What an environment finds as its files: the host's own programs under a skeleton, or an image by
 * name.
 *
 * <p>Promises that no secret of the host is in either. Start at {@link gpuaas.local.image.Images}.
 */
@NullMarked
package gpuaas.local.image;

import org.jspecify.annotations.NullMarked;
