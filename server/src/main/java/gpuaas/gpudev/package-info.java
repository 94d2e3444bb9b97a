/**
 * Jobs over the core: the dialect of the GPU Dev API documents, as its clients know it.
 *
 * <p>Promises the shapes, texts and timings that the original's command line depends on: what looks
 * odd here (an extension that is not seen at once, errors as lists, 200 for everything that worked)
 * is what they expect. Start with {@link gpuaas.gpudev.GpudevDialect}.
 */
@NullMarked
package gpuaas.gpudev;

import org.jspecify.annotations.NullMarked;
