/**
 * The dialect of the GPU.ai documents: instances, operations, SSH keys, usage and webhooks, at
 * {@code /v1} in the words of the document and at {@code /sdk/v1} in those of the released SDKs.
 *
 * <p>Promises exactly the statuses, fields and error codes that are written in {@code
 * docs/api/gpuai.json} and {@code docs/api/gpuai-sdk.json}. Start at {@link
 * gpuaas.gpuai.GpuaiDialect}.
 */
@NullMarked
package gpuaas.gpuai;

import org.jspecify.annotations.NullMarked;
